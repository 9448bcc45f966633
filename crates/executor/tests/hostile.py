"""What a hostile task tries. Prints the attempts that got somewhere; each must raise or come to nothing."""
import ctypes, json, os, resource, socket, sys

told = json.loads(sys.argv[1])
server = told["server"]
libc = ctypes.CDLL(None, use_errno=True)


def connect(address):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(address)
        return True


def open_descriptors():
    found = []
    for number in range(3, 256):
        try:
            os.fstat(number)
            found.append(number)
        except OSError:
            pass
    return found


def beside(folder, *own):
    return [name for name in os.listdir(folder) if name not in own]


def forge(path):
    """Where the sandbox has a folder of its own, as for /tmp, this works and comes to nothing outside: the test looks."""
    with open(path, "a") as file:
        file.write("forged")


def shut(path, by):
    by(path)
    return os.stat(path).st_mode & 0o777 == 0o111


def by_descriptor(path):
    with open(path) as file:
        os.fchmod(file.fileno(), 0o111)


attempts = {
    "read a secret beside": lambda: open(told["secret"]).read(),
    "read it through a link": lambda: os.symlink(told["secret"], "link") or open("link").read(),
    "hard-link it": lambda: os.link(told["secret"], "hard") or True,
    "list the folders beside": lambda: beside(os.path.dirname(told["folder"]), "task", "shared"),
    "write beside": lambda: forge(told["secret"] + ".new"),
    "append to the own log": lambda: forge(told["log"]),
    "write to what is read-only": lambda: open(told["read_only"] + "/file", "w"),
    "remove what is read-only": lambda: os.unlink(told["read_only"] + "/file") or True,
    "shut a secret": lambda: shut(told["secret"], lambda path: os.chmod(path, 0o111)),
    "shut what is read-only": lambda: shut(told["read_only"] + "/file", by_descriptor),
    "mark a secret": lambda: os.setxattr(told["secret"], "user.mark", b"1") or True,
    "give a secret away": lambda: os.chown(told["secret"], -1, os.getgid()) or True,
    "read shadow": lambda: open("/etc/shadow").read(),
    "read host keys": lambda: os.listdir("/etc/ssl/private"),
    "list root's home": lambda: beside("/root"),
    "write to the system": lambda: open("/usr/bulkhead-was-here", "w"),
    "write to the root": lambda: open("/bulkhead-was-here", "w"),
    "set kernel parameters": lambda: open("/proc/sys/kernel/core_pattern", "r+"),
    "press a magic key": lambda: open("/proc/sysrq-trigger", "w"),
    "see devices": lambda: beside("/sys"),
    "read the server's environment": lambda: open(f"/proc/{server}/environ", "rb").read(),
    "read the server's arguments": lambda: open(f"/proc/{server}/cmdline", "rb").read(),
    "read the server's memory": lambda: open(f"/proc/{server}/mem", "rb"),
    "read the first process's memory": lambda: open("/proc/1/mem", "rb"),
    "find the server": lambda: os.kill(server, 0) or True,
    "kill the server": lambda: os.kill(server, 9) or True,
    "trace the server": lambda: libc.ptrace(16, server, 0, 0) == 0,
    "change the server's limits": lambda: resource.prlimit(server, resource.RLIMIT_NOFILE, (8, 8)),
    "change the server's processors": lambda: os.sched_setaffinity(server, {0}) or True,
    "change the server's priority": lambda: os.setpriority(os.PRIO_PROCESS, server, 19) or True,
    "have the server's environment": lambda: sorted(set(os.environ) - {"PATH", "HOME", "PWD", "LC_CTYPE", *told["variables"]}),
    "have the server's descriptors": open_descriptors,
    "read from the server": lambda: os.read(0, 1),
    "have a terminal": lambda: os.open("/dev/tty", os.O_RDWR),
    "read the disk": lambda: os.mknod("disk", 0o600 | 0o060000, os.makedev(254, 0)) or True,
    "be another user": lambda: os.setuid(1) or True,
    "make a user namespace": lambda: libc.unshare(0x10000000) == 0,
    "make a mount": lambda: libc.mount(b"none", told["folder"].encode(), b"tmpfs", 0, None) == 0,
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)) or True,
    "dump core": lambda: resource.getrlimit(resource.RLIMIT_CORE)[1],
    "see raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "speak to the hypervisor": lambda: socket.socket(socket.AF_VSOCK),
    "connect to a socket of the host": lambda: connect(told["socket"]),
    "connect to an abstract socket of the host": lambda: connect("\0" + told["abstract"]),
}

reached = {}
for name, attempt in attempts.items():
    try:
        result = attempt()
    except (OSError, ValueError) as error:
        continue
    if result and name not in told["own"]:
        reached[name] = repr(result)
print("reached", json.dumps(reached))

# And what it must still be able to do.
open("file", "w").write("text")
os.rename("file", "other")
open("/dev/null", "w").write("text")
os.urandom(8)
assert open(told["read_only"] + "/file").read() == "shared"
assert os.path.exists("/etc/passwd") and os.listdir("/usr/bin")
