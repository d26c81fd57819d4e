"""Makes or refreshes ``.venv`` without ever taking a working one away.

The new environment is made beside the old one and takes its place when it is whole: an
interruption, a missing network or a full disk leaves what was there. What was once installed
stays: an environment with the tests' tools serves the demo as well.

``bin/venv`` runs it with the Python that there is; it says itself when that one is too old.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV, NEW, OLD = ROOT / ".venv", ROOT / ".venv.new", ROOT / ".venv.old"
LOCK = ROOT / ".venv.lock"
STAMP = "installed.json"
# What decides which packages are installed.
INPUTS = ("pyproject.toml", "client/pyproject.toml", "constraints.txt")
EXTRAS = ("bench", "demo", "lint", "s3", "sentry", "test")
DEFAULT_EXTRAS = "test,lint"
OLDEST = (3, 11)
ASK_VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
# Without a network the answer comes after seconds, not after half a minute.
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--retries", "2")


class SetUpError(Exception):
    """The environment could not be made; the message says why."""


class InterruptedSetUpError(BaseException):
    """A signal came; its number is the argument."""


def main() -> int:
    """Make the environment if it is needed; go on as the command that follows, if one does."""
    extras, command = _arguments(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What was started with nohup stays deaf to the end of its terminal.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        provide(extras)
    except SetUpError as error:
        print(f"bin/venv: {error}\nbin/venv: {_what_is_there()}", file=sys.stderr)
        return 1
    except InterruptedSetUpError as signalled:
        print(f"\nbin/venv: interrupted; {_what_is_there()}", file=sys.stderr)
        return 128 + int(signalled.args[0])
    if command:
        os.chdir(ROOT)
        os.execv(command[0], command)
    return 0


def _arguments(words: list[str]) -> tuple[set[str], list[str]]:
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="bin/venv", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("extras", nargs="?", default=DEFAULT_EXTRAS, help="of " + ", ".join(EXTRAS))
    extras = set(parser.parse_args(words[:end]).extras.split(","))
    if extras - set(EXTRAS):
        parser.error(
            f"no extra {', '.join(sorted(extras - set(EXTRAS)))}; there are {', '.join(EXTRAS)}"
        )
    return extras, words[end + 1 :]


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedSetUpError(number)


def _what_is_there() -> str:
    return f"{VENV.name} is as it was" if VENV.exists() else "there is no environment yet"


def provide(extras: set[str]) -> None:
    """Return when ``.venv`` has these extras, of what the repository names today.

    Raises:
        SetUpError: it cannot be made.
    """
    if _installed() == _wanted(extras):
        return
    with _alone():
        # Another set-up may have done it meanwhile, or been killed between its two last steps.
        if OLD.exists() and not VENV.exists():
            OLD.rename(VENV)
        wanted = _wanted(extras)
        if _installed() != wanted:
            _make(wanted)


def _installed() -> dict[str, Any]:
    """Return what the environment has; nothing, if there is none that runs."""
    try:
        stamp: dict[str, Any] = json.loads((VENV / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if os.access(VENV / "bin" / "python", os.X_OK) else {}


def _wanted(extras: set[str]) -> dict[str, Any]:
    installed = _installed()
    content = b"".join((ROOT / name).read_bytes() for name in INPUTS)
    return {
        "python": _python_version(installed),
        "inputs": hashlib.sha256(content).hexdigest(),
        "extras": sorted(extras | set(installed.get("extras", ()))),
        "place": str(ROOT),
    }


def _python_version(installed: dict[str, Any]) -> str:
    """Return the version that is asked for: that of PYTHON, else the one that is installed."""
    if installed and not os.environ.get("PYTHON"):
        return str(installed["python"])
    version = _output([_python(), "-c", ASK_VERSION]).strip()
    if tuple(map(int, version.split("."))) < OLDEST:
        raise SetUpError(f"Python 3.11 or newer is needed; set PYTHON to one (found: {version})")
    return version


def _python() -> str:
    return os.environ.get("PYTHON") or sys.executable


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for another set-up of this folder; pip, too, holds the lock for as long as it runs."""
    with LOCK.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another set-up of .venv ...", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        yield


def _make(wanted: dict[str, Any]) -> None:
    """Make the environment beside the one that there is, and put it in its place."""
    before = _installed()
    print(f"Setting up .venv for {', '.join(wanted['extras'])} ...", file=sys.stderr, flush=True)
    try:
        _remove(NEW)
        _remove(OLD)
        if before.get("python") == wanted["python"]:
            shutil.copytree(VENV, NEW, symlinks=True)
        else:
            _output([_python(), "-m", "venv", str(NEW)])
        _install(wanted["extras"])
        _name_place_in_scripts({str(NEW), f"{before.get('place', ROOT)}/{VENV.name}"})
        (NEW / STAMP).write_text(json.dumps(wanted), encoding="utf-8")
        if VENV.exists():
            VENV.rename(OLD)
        NEW.rename(VENV)
    except OSError as error:
        raise SetUpError(str(error)) from error
    finally:
        _remove(NEW)
        if VENV.exists():
            _remove(OLD)


def _install(extras: Sequence[str]) -> None:
    packages = ["--editable", "./client", "--editable", f".[{','.join(extras)}]"]
    command = [str(NEW / "bin" / "python"), *PIP, "--constraint", "constraints.txt", *packages]
    _output(command, shows=("Collecting", "Downloading", "Installing collected"))


def _output(command: list[str], *, shows: tuple[str, ...] = ()) -> str:
    """Run a command and return what it printed; show some of it as it comes, in a terminal.

    Raises:
        SetUpError: it ended with an error, whose lines are named.
    """
    lines = []
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", close_fds=False,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if sys.stderr.isatty() and line.strip().startswith(shows):
                    print(f"\r\033[K  {line.strip()[:76]}", end="", file=sys.stderr, flush=True)
        except BaseException:
            process.terminate()
            raise
    if shows and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise SetUpError(_complaint(command, lines))
    return "".join(lines)


def _complaint(command: list[str], lines: list[str]) -> str:
    said = [line.strip() for line in lines]
    errors = dict.fromkeys(line for line in said if line.startswith("ERROR")) or said[-3:]
    return f"{' '.join(command[:4])} failed: {' '.join(errors)}"


def _name_place_in_scripts(former: set[str]) -> None:
    """Let the new environment's scripts name the place that it will have."""
    for path in (NEW / "bin").iterdir():
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b"\0"
        if b"\0" in content:
            # A program, and no text.
            continue
        for place in sorted(former, reverse=True):
            content = content.replace(f"{place}/".encode(), f"{VENV}/".encode())
        path.write_bytes(content)


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
