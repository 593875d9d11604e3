"""A Dockerfile and its .dockerignore, read without Docker."""

import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """COPY and `app app`; lines that go on are joined."""

    word: str
    rest: str

    @property
    def command(self) -> list[str]:
        """What is run, which must be written in the exec form, as a list."""
        command: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return command

    @property
    def variables(self) -> dict[str, str]:
        """What ENV sets."""
        pairs = re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', self.rest)
        return {name: quoted or plain for name, quoted, plain in pairs}


def stages(file: Path) -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    text = re.sub(r"^#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    found: list[list[Instruction]] = []
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if line:
            instruction = Instruction(*line.split(" ", 1))
            if instruction.word == "FROM":
                found.append([])
            found[-1].append(instruction)
    return found


def only(word: str, stage: list[Instruction]) -> Instruction:
    """The one instruction with that word."""
    [found] = [instruction for instruction in stage if instruction.word == word]
    return found


def let_through(context: Path) -> list[Path]:
    """The files that the folder's .dockerignore lets into a build, relative to it."""
    rules = (context / ".dockerignore").read_text("utf-8").splitlines()
    files = sorted(path.relative_to(context) for path in context.rglob("*") if path.is_file())
    return [file for file in files if not _is_ignored(file, rules)]


def _is_ignored(file: Path, rules: list[str]) -> bool:
    """The last rule that fits the file, or a folder around it, decides."""
    ignored = False
    for rule in rules:
        pattern = re.escape(rule.removeprefix("!")).replace(r"\*\*/", "(.*/)?")
        pattern = pattern.replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, path.as_posix()) for path in (file, *file.parents)):
            ignored = not rule.startswith("!")
    return ignored
