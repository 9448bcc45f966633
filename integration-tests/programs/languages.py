"""How the programs in other languages are called."""
import os
import re
import subprocess

import rest


def submission():
    """The arguments after the server: whose, where, what, and with which parameters."""
    package = os.path.join(os.environ["PIPELINES"], "words.yaml")
    return [os.environ["KF_PIPELINES_SA_TOKEN_PATH"], os.environ["KFP_NAMESPACE"], package, '{"how_many": 3, "expected": 3}']


def run(command, folder, **variables):
    """What a program prints that has to end well."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=300)
    assert done.returncode == 0, f"{command[:2]}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def succeeded(said):
    """The id of the one run that a submission names, after a look at whether it is true."""
    run_id, = re.fullmatch(r"run (\S+) SUCCEEDED\n", said).groups()
    found = rest.jane().ok("GET", f"/apis/v2beta1/runs/{run_id}")
    assert found["state"] == "SUCCEEDED", found
    return run_id
