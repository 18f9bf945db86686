"""The files of a trained model, scripts and artifacts: copied so that what is scored, kept and used is one thing.

In an iteration, in a snapshot and in every copy they lie in the same two folders, so that a script finds its siblings.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.files import sha256_of
from agents.vocabulary import StepName

TRAIN: Final = "train.py"
INFERENCE: Final = "inference.py"
ARTIFACTS: Final = "training_artifacts"
_CACHE: Final = "__pycache__"
_FOLDERS: Final = (StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE)


@dataclass(frozen=True)
class ModelFiles:
    """``model_training/`` with its artifacts and ``model_inference/`` below ``root``."""

    root: Path

    @property
    def inference_script(self) -> Path:
        return self.root / StepName.MODEL_INFERENCE / INFERENCE

    @property
    def artifacts(self) -> Path:
        return self.root / StepName.MODEL_TRAINING / ARTIFACTS

    def checksums(self) -> dict[str, str]:
        """Each file by its path to its SHA-256. A link counts as a link: a copy has none, so one was put in later.

        What Python keeps beside its scripts is left out: :meth:`copy_to` leaves it behind.
        """
        found = {}
        for folder in _FOLDERS:
            for path in (self.root / folder).rglob("*"):
                name = path.relative_to(self.root)
                if _CACHE in name.parts:
                    continue
                if path.is_symlink():
                    found[name.as_posix()] = f"link to {os.readlink(path)}"  # noqa: PTH115 - any text, also no path
                elif path.is_file():
                    found[name.as_posix()] = sha256_of(path)
        return found

    def digest(self) -> str:
        """SHA-256 over the names and bytes of all files."""
        lines = (f"{name}\0{checksum}\n" for name, checksum in sorted(self.checksums().items()))
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()

    def copy_to(self, target: Path) -> "ModelFiles":
        """A copy for a script to run in, protected."""
        for folder in _FOLDERS:
            _copy_folder(self.root / folder, target / folder)
        return ModelFiles(target).protected()

    def protected(self) -> "ModelFiles":
        """The same, its files made read-only, so that a script's slip shows at once.

        Folders stay writable, or nobody could delete what a killed engine leaves.
        """
        for path in self.root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o444)
        return self


def gather(inference: Path, artifacts: Path, target: Path) -> ModelFiles:
    """Copy what a model consists of, its code and its artifacts, from the folders of its steps into ``target``."""
    copy_scripts(artifacts.parent, target / StepName.MODEL_TRAINING)
    copy_scripts(inference, target / StepName.MODEL_INFERENCE)
    files = ModelFiles(target)
    _copy_folder(artifacts, files.artifacts)
    return files


def copy_scripts(step_dir: Path, target: Path) -> None:
    """Copy what a script may import from its own folder: the Python files and packages beside it, nothing else."""
    target.mkdir(parents=True)
    for path in step_dir.glob("*.py"):
        shutil.copyfile(path, target / path.name)
    for package in step_dir.glob("*/__init__.py"):
        _copy_folder(package.parent, target / package.parent.name)


def _copy_folder(source: Path, target: Path) -> None:
    """Contents only: an archived file is read-only, and its copy has to be writable."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(_CACHE), copy_function=shutil.copyfile)
