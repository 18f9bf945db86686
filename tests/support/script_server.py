"""Runs Python scripts in forks of a process that has the scientific stack loaded.

Each script still has a process of its own, with its own working directory, environment, arguments, output and exit
status; only the seconds that importing scikit-learn takes are paid once. This file imports nothing of the project and
is run as a program: requests come as lines of JSON on standard input, the exit status of each script goes back as a
line.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

STACK = (
    *("joblib", "numpy", "pandas", "scipy.stats", "threadpoolctl"),
    *("sklearn.calibration", "sklearn.cross_decomposition", "sklearn.decomposition", "sklearn.dummy"),
    *("sklearn.ensemble", "sklearn.feature_selection", "sklearn.linear_model", "sklearn.metrics"),
    *("sklearn.model_selection", "sklearn.naive_bayes", "sklearn.neighbors", "sklearn.neural_network"),
    *("sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm"),
)
PROJECT = ("agents", "screens", "agentomics_tui", "tests")


def serve() -> dict[str, Any] | None:
    """In each child the request that it has to carry out, in the server nothing, once no more requests come."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return dict(json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
    return None


def become(request: dict[str, Any]) -> NoReturn:
    """Run the script as a fresh interpreter would that knows nothing of this project, and end as it does.

    Tearing down an interpreter that holds the whole stack takes half a second, so that is left to the system.
    """
    _redirect(request["stdout"], request["stderr"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.modules.update(dict.fromkeys(PROJECT))  # type: ignore[arg-type]  # None: importing it is an ImportError
    sys.argv = request["command"]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    status = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _redirect(stdout: str, stderr: str) -> None:
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, stdout, write), (2, stderr, write)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


if __name__ == "__main__":
    for module in STACK:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # or a collection in a child would touch, and so copy, all of it
    if (request := serve()) is not None:
        become(request)
