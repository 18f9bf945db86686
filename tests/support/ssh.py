"""A real sshd on loopback and real terminals, for what a person does over SSH."""

import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

_SBIN: Final = "/usr/sbin:/usr/local/sbin:/sbin"
"""Where sshd lies, often outside the path of whoever is not root."""
_PACKAGES: Final = {"sshd": "openssh-server", "ssh-keygen": "openssh-client", "ssh": "openssh-client", "tmux": "tmux"}
_SEPARATION: Final = Path("/run/sshd")
"""Where an sshd of root shuts itself in; the system's own makes it when it starts."""
_REFUSALS: Final = (
    r"account is locked",  # as many containers leave it
    r"chown\(/dev/pts/.*failed: Operation not permitted",  # to the group tty, where /dev/pts is mounted without it
)
"""What an sshd says that may not let this user in, or may give them no terminal, however it is set up."""
SECONDS: Final = 120.0
"""Far more than anything here can need."""


class NoLogin(Exception):
    """Nobody can work over SSH on this machine, as sshd says."""


def missing() -> str:
    """Why nothing here can be used on this machine, and what would help; empty where it can."""
    if lacking := {package: name for name, package in _PACKAGES.items() if not _program(name)}:
        return f"needs {' and '.join(lacking.values())} (Debian and Ubuntu: apt install {' '.join(lacking)})"
    if not Path("/proc/self/environ").exists():
        return "needs Linux's /proc, to see what is left running"
    try:
        shell = Path(pwd.getpwuid(os.getuid()).pw_shell).name
    except KeyError:
        shell = "nologin"
    return f"needs a user who may log in, and {os.getuid()} may not" if shell in {"nologin", "false"} else ""


def until(true: Callable[[], object], what: Callable[[], object] | str = "") -> None:
    """Wait for ``true()``. ``what`` is told where it never comes true."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"it never came true: {what if isinstance(what, str) else what()}"
        time.sleep(0.05)


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Server:
    """An sshd that lets in the user who tests, by a key of its own, and gives each session ``environment``.

    Raises :class:`NoLogin` where the machine is in the way.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        folder.mkdir()
        for key in ("host", "person"):
            command = [_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True, capture_output=True)
        shutil.copy(folder / "person.pub", folder / "authorized")
        self._log = folder / "log"
        if os.getuid() == 0:  # it stays, as it does after the system's own sshd: another one may have come to need it
            _SEPARATION.mkdir(mode=0o755, exist_ok=True)
        self._process = self._started(environment)
        self._root = psutil.Process(self._process.pid)
        self._try_it()

    def _started(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """The sshd once it listens. Between finding a free port and listening on it another process may take it."""
        for _ in range(10):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            self._configure(port, environment)
            with self._log.open("wb") as log:
                command = [_program("sshd"), "-D", "-e", "-f", str(self._folder / "sshd_config")]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True)
            until(lambda process=process: process.poll() is not None or b"Server listening" in self._log.read_bytes())
            if process.poll() is None:
                return process
        raise AssertionError(self._log.read_text())

    def _configure(self, port: int, environment: Mapping[str, str]) -> None:
        given = " ".join(f'"{name}={value}"' for name, value in environment.items())
        (self._folder / "sshd_config").write_text(
            f"""ListenAddress 127.0.0.1
Port {port}
HostKey "{self._folder / "host"}"
AuthorizedKeysFile "{self._folder / "authorized"}"
PidFile "{self._folder / "pid"}"
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
SetEnv {given}
"""
        )
        (self._folder / "known").write_text(f"[127.0.0.1]:{port} {(self._folder / 'host.pub').read_text()}")
        (self._folder / "ssh_config").write_text(
            f"""Host server
HostName 127.0.0.1
Port {port}
User {pwd.getpwuid(os.getuid()).pw_name}
IdentityFile "{self._folder / "person"}"
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile "{self._folder / "known"}"
GlobalKnownHostsFile /dev/null
BatchMode yes
LogLevel ERROR
"""
        )

    def _try_it(self) -> None:
        done = subprocess.run(self.client("true"), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
        if done.returncode == 0:
            return
        self.close()
        log = self._log.read_text()
        if any(re.search(refusal, log) for refusal in _REFUSALS):
            raise NoLogin(log)
        raise AssertionError(log)

    def client(self, *command: object, terminal: bool = True) -> list[str]:
        """The ssh that runs ``command`` over there, in a terminal of its own or in a pipe."""
        options = ["-tt" if terminal else "-T", "-F", str(self._folder / "ssh_config")]
        return [_program("ssh"), *options, "server", shlex.join(map(str, command))]

    def run(self, *command: object, expect: int = 0) -> str:
        """What ``command`` prints over there, in no terminal."""
        client = self.client(*command, terminal=False)
        done = subprocess.run(client, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == expect, done.stdout + done.stderr + self._log.read_text()
        return done.stdout

    def sessions(self) -> list[psutil.Process]:
        """The sshd of each connection."""
        return self._root.children()

    def screens(self) -> list[psutil.Process]:
        """The screens of the program that sessions have started, and that still belong to one."""
        found = []
        for process in self._root.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "agentomics_tui" in process.cmdline():
                    found.append(process)
        return found

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()


_SHELL: Final = """"$@"; echo "ended with $?"; read _"""
"""Stays behind the command as a person's shell does, so that what the command leaves in the terminal can be seen."""


class Terminal:
    """A terminal that a tmux server of its own draws, with the ``command`` in it; ``size`` is in cells."""

    def __init__(self, folder: Path, *command: str, size: tuple[int, int]) -> None:
        folder.mkdir()
        config = folder / "tmux.conf"
        config.write_text("set -g status off\n")  # every line belongs to the command
        self._tmux = [_program("tmux"), "-u", "-S", str(folder / "socket"), "-f", str(config)]
        self._ask("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "sh", "-c", _SHELL, "sh", *command)

    def _ask(self, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        command = [*self._tmux, *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def kill(self) -> None:
        """End the command as a crash does."""
        shell = psutil.Process(int(self._ask("display-message", "-p", "#{pane_pid}")))
        [command] = shell.children()
        command.kill()

    def text(self) -> str:
        return self._ask("capture-pane", "-p")

    def sees(self, *texts: str) -> None:
        """Wait until the terminal shows all ``texts``."""
        until(lambda: all(text in self.text() for text in texts), lambda: f"{texts} on\n{self.text()}")

    def gone(self, text: str) -> None:
        """Wait until the terminal no longer shows ``text``."""
        until(lambda: text not in self.text(), lambda: f"{text} gone from\n{self.text()}")

    def press(self, key: str) -> None:
        """A key by tmux's name for it."""
        self._ask("send-keys", key)

    def type(self, text: str) -> None:
        self._ask("send-keys", "-l", text)

    def ended(self) -> tuple[int, str]:
        """The exit status of the command, as a shell counts it, and the line that it left in the terminal."""
        self.sees("ended with ")
        said, _, status = self.text().rpartition("ended with ")
        return int(status.split()[0]), said.rstrip("\n").rpartition("\n")[2]

    def close(self) -> None:
        """End the terminal, and whatever runs in it."""
        with suppress(subprocess.CalledProcessError):  # it has gone by itself
            self._ask("kill-server")


def _program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}") or ""
