"""Makes, in the folder that is given, a wheel and a source package whose build runs code of its own."""
import io, sys, tarfile, zipfile

folder, secret, port = sys.argv[1:]

WHEEL = '''
import os, zipfile

def wheel(into, name, module):
    about = f"{name}-1.0.dist-info/"
    with zipfile.ZipFile(f"{into}/{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", module)
        archive.writestr(about + "METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(about + "RECORD", "")
    return f"{name}-1.0-py3-none-any.whl"
'''

BACKEND = WHEEL + f'''
import socket

SECRET, PORT = {secret!r}, {port}

def attempt(what):
    try:
        what()
    except OSError:
        return "denied"
    return "reached"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open(os.path.dirname(os.environ["PIP_CACHE_DIR"]) + "/builds", "a") as builds:
        builds.write("build\\n")
    # Where the sandbox has a folder of its own there, this comes to nothing outside; the test looks for the file.
    attempt(lambda: open(SECRET + ".new", "w"))
    tried = [attempt(lambda: open(SECRET).read())]
    tried.append(attempt(lambda: socket.create_connection(("127.0.0.1", PORT), timeout=5)))
    return wheel(folder, "nosy", f"tried = {{tried!r}}")
'''

exec(WHEEL)
wheel(folder, "greeting", "words = 'good day'")
with tarfile.open(f"{folder}/nosy-1.0.tar.gz", "w:gz") as archive:
    for name, text in {
        "PKG-INFO": "Metadata-Version: 2.1\nName: nosy\nVersion: 1.0\n",
        "backend.py": BACKEND,
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'nosy'\nversion = '1.0'\n",
    }.items():
        entry = tarfile.TarInfo("nosy-1.0/" + name)
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
