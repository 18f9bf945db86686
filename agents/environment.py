"""The run's own Python environment: the scientific stack at exact versions, and nothing of this program.

It is made without a network: a bare virtual environment whose site-packages link to the distributions installed beside
this program. Generated code can import numpy, pandas, SciPy and scikit-learn, and neither litellm nor the engine.
"""

import os
import platform
import re
import sys
import venv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Final

from agents.files import write_atomically
from agents.sandbox.fence import Cell, Fence, Limits, Plain, Sandbox

STACK: Final = ("numpy", "pandas", "scipy", "scikit-learn", "joblib")
_REQUIREMENT: Final = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class RunEnvironment:
    """Interpreter and environment variables of everything that the agent wrote."""

    python: Path
    variables: Mapping[str, str]
    packages: Mapping[str, str]
    """Distribution to version."""
    python_version: str
    home: Path = Path()
    sandbox: Sandbox = field(default_factory=Plain)
    reads: tuple[Path, ...] = ()
    """Interpreter and packages, each where it really is: nothing beside them is to be seen."""

    def cell(self, read: Iterable[Path] = (), write: Iterable[Path] = ()) -> Cell:
        """Where a command of this environment runs that reads ``read`` and changes ``write``."""
        fence = Fence((*self.reads, *read), (self.home, *write), limits=Limits.of_this_machine())
        return Cell(self.sandbox, fence)

    def requirements(self) -> str:
        """The exact versions in the form of a requirements file."""
        return "".join(f"{name}=={version}\n" for name, version in sorted(self.packages.items()))


def make_environment(folder: Path, home: Path, cpus: int, seed: int, sandbox: Sandbox | None = None) -> RunEnvironment:
    """The environment in ``folder``, made where there is none yet; ``home`` becomes HOME and holds temporary files."""
    python = folder / "bin" / "python"
    packages = dict(_closure(STACK))
    listed = "".join(f"{name}=={version}\n" for name, version in packages.items())
    mark = folder / "packages.txt"
    # A run may be resumed after Python or a package was changed; links that lead nowhere would fail every script.
    if not (mark.is_file() and mark.read_text() == listed and python.exists()):
        venv.EnvBuilder(symlinks=True, with_pip=False, clear=True).create(folder)
        site_packages = next(folder.glob("lib/python3.*/site-packages"))
        for name in packages:
            _link(metadata.distribution(name), site_packages)
        write_atomically(mark, listed)
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return RunEnvironment(
        python,
        _variables(folder, home, temporary, cpus, seed),
        packages,
        platform.python_version(),
        home,
        sandbox or Plain(),
        (folder, Path(sys.base_prefix).resolve(), *_targets(folder)),
    )


def _targets(folder: Path) -> Iterator[Path]:
    """Where the packages really are."""
    for site_packages in folder.glob("lib/python3.*/site-packages"):
        yield from (entry.resolve() for entry in sorted(site_packages.iterdir()) if entry.is_symlink())


def _variables(folder: Path, home: Path, temporary: Path, cpus: int, seed: int) -> dict[str, str]:
    """Built up from nothing, so that no key of the person's environment can slip through."""
    threads = str(cpus)
    return {
        "PATH": os.pathsep.join((str(folder / "bin"), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "VIRTUAL_ENV": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(seed),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        # Spinning threads make training several times slower on a shared machine.
        "OMP_WAIT_POLICY": "passive",
        **{name: os.environ[name] for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "TZ") if name in os.environ},
    }


def _closure(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """``names`` and all that they require, with versions, by what is installed."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        key = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(key)
        except metadata.PackageNotFoundError:
            continue  # needed on another platform only
        yield key, distribution.version
        needed = (line for line in distribution.requires or () if "extra ==" not in line)
        waiting.extend(found[1] for line in needed if (found := _REQUIREMENT.match(line)))


def _link(distribution: metadata.Distribution, site_packages: Path) -> None:
    """Link each top-level entry of a distribution into ``site_packages``."""
    for name in {file.parts[0] for file in distribution.files or () if ".." not in file.parts}:
        source = Path(str(distribution.locate_file(name)))
        if name != "__pycache__" and source.exists() and not (site_packages / name).exists():
            (site_packages / name).symlink_to(source)
