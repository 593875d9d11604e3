"""What is to be written: new files from templates, and additions to files that are there."""

import ast
from pathlib import Path
from string import Template

from scaffold.merging import merged
from scaffold.names import RefusedError
from scaffold.reading import doubled_names
from scaffold.writing import write

TEMPLATES = Path(__file__).parent / "templates"


class Changes:
    """Collects texts by their paths below `root`; nothing is on disk before `write`.

    `words` are what templates are filled with. `by_hand` holds what is left to the owner, because
    the place for it was not found, and `next_steps` what a person does then; sentences both.
    """

    def __init__(self, root: Path, words: dict[str, str]) -> None:
        self.root = root
        self.words = words
        self.by_hand: list[str] = []
        self.next_steps: list[str] = []
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}

    @property
    def new(self) -> list[str]:
        """The paths of the files that were not there."""
        return sorted(self._after.keys() - self._before.keys())

    @property
    def changed(self) -> list[str]:
        """The paths of the files that were there."""
        return sorted(self._after.keys() & self._before.keys())

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return path in self._after or (self.root / path).exists()

    def read(self, path: str) -> str:
        """The text of a Python file as it will be. Raises RefusedError when it cannot be read."""
        if path in self._after:
            return self._after[path]
        if path not in self._before:
            self._before[path] = _python(self.root, path)
        return self._before[path]

    def filled(self, template: str, **words: str) -> str:
        """The text of a template with the words in it."""
        text = (TEMPLATES / f"{template}.py.tmpl").read_text("utf-8")
        return Template(text).substitute(self.words | words)

    def create(self, path: str, text: str) -> None:
        """A new file. Raises RefusedError when it is there."""
        if self.exists(path):
            raise RefusedError(f"{path} is there already: choose another name.")
        self._put(path, text, "")

    def merge(self, path: str, fragment: str) -> None:
        """Add a fragment to a file, or make it the file when there is none."""
        if not self.exists(path):
            self.create(path, fragment)
            return
        before = self.read(path)
        try:
            after = merged(before, fragment)
        except SyntaxError:
            raise RefusedError(f"{path} is not written as other features are.") from None
        self._put(path, after, before)

    def replace(self, path: str, text: str) -> None:
        """Another text for a file that is there."""
        self._put(path, text, self.read(path))

    def write(self) -> None:
        """Write all of it, or raise RefusedError and write nothing."""
        write(self.root, self._after)

    def _put(self, path: str, text: str, before: str) -> None:
        doubled = sorted(doubled_names(text) - doubled_names(before))
        if doubled:
            names = " and ".join(doubled)
            raise RefusedError(f"{path} would have two meanings of {names}: choose another name.")
        self._after[path] = text


def _python(root: Path, path: str) -> str:
    try:
        text = (root / path).read_text("utf-8")
        ast.parse(text)
    except FileNotFoundError:
        raise RefusedError(f"{path} is not there, and the scaffold has to add to it.") from None
    except (SyntaxError, ValueError) as error:
        raise RefusedError(f"{path} cannot be read: {error}. Mend it first.") from None
    return text
