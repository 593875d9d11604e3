"""A service's container image, made and run by hand: its Dockerfile's steps, without Docker."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from dockerfile import Instruction, let_through, only, stages
from programs import finish

USER = 10001
AS_USER: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []}
IS_ROOT = os.geteuid() == 0
PATHS = re.compile(r"(?<![\w.])/(venv|service|data)\b")
BUILD_DEADLINE = 300.0  # seconds


class Image:
    """The last stage of a Dockerfile. Its absolute paths lie below a folder of this machine."""

    def __init__(self, service: Path, root: Path) -> None:
        self.service = service
        self.root = root
        self.log_file = root / "log"
        root.chmod(0o755)
        self._tools = root / "tools"
        self._tools.mkdir()
        (self._tools / "python").symlink_to(_python())
        (self._tools / "pip").symlink_to(Path(sys.executable).parent / "pip")
        *before, last = stages(service / "Dockerfile")
        for stage in before:
            self._build(stage, root / "build")
        self.variables, self.folder = self._build(last, root)
        self.command = only("CMD", last).command
        self.health_check = only("HEALTHCHECK", last).command

    def _build(self, stage: list[Instruction], root: Path) -> tuple[dict[str, str], Path]:
        """Do what a stage says; gives its variables and the folder that it ends in."""
        root.mkdir(exist_ok=True)
        folder, variables = root, {"PATH": f"{self._tools}:{os.defpath}"}
        for one in stage:
            match one.word:
                case "WORKDIR":
                    folder = Path(_below(root, one.rest))
                    folder.mkdir()
                case "ENV":
                    for name, text in one.variables.items():
                        variables[name] = _below(root, text).replace("$PATH", variables["PATH"])
                case "RUN":
                    self._run(_below(root, one.rest), folder, variables)
                case "COPY":
                    self._copy(one.rest.split(), root, folder)
                case _:
                    assert one.word in ("FROM", "USER", "EXPOSE", "HEALTHCHECK", "CMD"), one
        return variables, folder

    def _run(self, script: str, folder: Path, variables: dict[str, str]) -> None:
        # This machine's list of users is left alone.
        commands = [part for part in script.split(" && ") if not part.startswith("useradd ")]
        owner = f"--owner {USER} --group {USER}" if IS_ROOT else ""
        script = " && ".join(commands).replace("--owner service --group service", owner)
        command, env = ["sh", "-ec", script], os.environ | variables
        done = finish(command, folder=folder, env=env, deadline=BUILD_DEADLINE)
        assert done.returncode == 0, f"{script}:\n{done.stdout[-3000:]}"

    def _copy(self, words: list[str], root: Path, folder: Path) -> None:
        *sources, target = words
        if sources[0] == "--from=build":
            # A virtual environment knows its own path, so it stays where it was made.
            assert sources[1:] == [target] == ["/venv"]
            Path(_below(root, target)).symlink_to(_below(self.root / "build", target))
            return
        for file in let_through(self.service):
            for source in (source for source in sources if Path(source) in (file, *file.parents)):
                inside = file if target == "./" else Path(target) / file.relative_to(source)
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.service / file, folder / inside)

    def start(self, command: list[str], **settings: str) -> "subprocess.Popen[bytes]":
        """Run a command in the image, as its user where that can be done here."""
        variables = {name: _below(self.root, text) for name, text in settings.items()}
        program = shutil.which(command[0], path=self.variables["PATH"])
        assert program, command
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [program, *command[1:]],
                cwd=self.folder,
                env=self.variables | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **(AS_USER if IS_ROOT else {}),
            )

    def run(self, command: list[str], **settings: str) -> int:
        """Run a command to its end; gives its exit code."""
        with self.start(command, **settings) as process:
            return process.wait(BUILD_DEADLINE)

    @property
    def log(self) -> str:
        """What every command has written."""
        return self.log_file.read_text("utf-8")


def _python() -> Path:
    """A Python for the image's user, who sees none that lies in root's own folder."""
    for python in (Path(sys.executable).resolve(), Path("/usr/bin/python3").resolve()):
        try:
            subprocess.run([python, "-c", ""], check=True, **(AS_USER if IS_ROOT else {}))
        except OSError:
            continue
        return python
    raise AssertionError(f"user {USER} can run no Python here")


def _below(root: Path, text: str) -> str:
    return PATHS.sub(rf"{root}/\1", text)
