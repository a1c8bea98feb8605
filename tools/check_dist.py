"""Check the sdist and the wheel in a folder, as somebody gets them who installs the package.

`python tools/check_dist.py dist` compares what they hold with the repository, then installs the
wheel into a new environment outside it. There the installed package classifies a picture, runs a
study of digits, and is imported by a typed script that mypy checks. `--contents` ends before the
installation. `make dist-check` builds both and calls this.

pip looks for the dependencies where it is set up to look. With `--borrow`, for a machine that
reaches no index, the new environment takes them from the environment that runs this script, and
only the package itself is installed; that shows less, and is said.
"""

from __future__ import annotations

import argparse
import email
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = Path("src/smallvision")
BOUND = 10_000_000  # bytes of each file; a wheel has the included model, of 6 MB
# What a package that depends on this one may write; mypy judges it as it does that package's code.
CONSUMER = """\
from pathlib import Path

import smallvision as sv
from smallvision import StudyPlan

version: str = sv.__version__
plan = StudyPlan(preset="quick", rungs=("mlp",))


def name(path: Path) -> str:
    found = sv.classify("cifar10", [path])
    return found.class_names[int(found.probabilities[0].argmax())]


reveal_type(sv.load_data("digits"))
wrong: int = sv.__version__
"""
# (file suffix of the line, part of the message): all that mypy may say of it.
EXPECTED = (
    "smallvision.data.dataset.DataSet",
    'expression has type "str", variable has type "int"',
)


def list_tracked() -> set[str]:
    """The files of the repository, as git knows them."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def tell_difference(kind: str, held: Iterable[str], expected: Iterable[str]) -> list[str]:
    """One line for each file that is too much or missing."""
    held, expected = set(held), set(expected)
    return [
        *(f"{kind} holds {name}, which is not expected" for name in sorted(held - expected)),
        *(f"{kind} lacks {name}" for name in sorted(expected - held)),
    ]


def check_sdist(path: Path, tracked: Iterable[str]) -> list[str]:
    """What is wrong with an sdist: it is to hold the repository and the metadata of the package."""
    with tarfile.open(path) as archive:
        names = [member.name for member in archive if member.isfile()]
    held = {name.partition("/")[2] for name in names}
    return tell_difference(path.name, held, {*tracked, "PKG-INFO"})


def check_wheel(path: Path, tracked: Iterable[str], version: str) -> list[str]:
    """What is wrong with a wheel: it is to hold the package, its metadata and its licence."""
    about = f"smallvision-{version}.dist-info"
    package = {
        Path(name).relative_to("src").as_posix()
        for name in tracked
        if Path(name).is_relative_to(PACKAGE)
    }
    metadata = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(path) as archive:
        found = tell_difference(
            path.name, archive.namelist(), package | {f"{about}/{name}" for name in metadata}
        )
        if found:
            return found
        told = email.message_from_bytes(archive.read(f"{about}/METADATA"))
        scripts = archive.read(f"{about}/entry_points.txt").decode()
    facts: Mapping[str, tuple[object, object]] = {
        "name": (told["Name"], "smallvision"),
        "version": (told["Version"], version),
        "licence": (told["License-Expression"], "MIT"),
        "py.typed": ("smallvision/py.typed" in package, True),
        "command": ("smallvision = smallvision.cli.main:main" in scripts, True),
    }
    return [
        f"{path.name}: {name} is {is_so!r}, expected {wanted!r}"
        for name, (is_so, wanted) in facts.items()
        if is_so != wanted
    ]


def find_one(folder: Path, pattern: str) -> Path:
    """The one file of a folder that a pattern fits.

    Raises:
        SystemExit: there is none, or more than one.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} has {len(found)} files {pattern}; `make dist` builds both")
    return found[0]


class Environment:
    """A new virtual environment outside the repository, with the wheel in it."""

    def __init__(self, folder: Path, wheel: Path, *, borrow: bool) -> None:
        self.folder = folder
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.call("-m", "pip", "install", "--quiet", *(["--no-deps"] if borrow else []), str(wheel))
        if borrow:
            site = Path(self.call("-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
            here = [path for path in sys.path if path.endswith("site-packages")]
            (site / "borrowed.pth").write_text("\n".join(here), encoding="utf-8")

    def call(self, *arguments: str, code: int = 0) -> str:
        """Run the environment's Python, without what the caller's environment would add."""
        return self.run([str(self.python), *arguments], code=code)

    def run(self, command: list[str], *, code: int = 0) -> str:
        """Run a command in the folder, and return what it prints.

        Raises:
            SystemExit: it ends otherwise than with the exit code.
        """
        hidden = ("PYTHONPATH", "PYTHONHOME", "MYPYPATH", "VIRTUAL_ENV")
        clean = {name: value for name, value in os.environ.items() if name not in hidden}
        clean["SMALLVISION_CACHE"] = str(self.folder / "cache")
        done = subprocess.run(
            command, cwd=self.folder, env=clean, capture_output=True, text=True, check=False
        )
        if done.returncode != code:
            sys.exit(
                f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout.strip()


def try_out(environment: Environment, version: str) -> None:
    """Use the installed package as a person would.

    Raises:
        SystemExit: it does not do what it should.
    """
    place = environment.call("-c", "import smallvision; print(smallvision.__file__)")
    if not Path(place).is_relative_to(environment.folder):
        sys.exit(f"{place} was imported, and not the installed package")
    command = str(environment.bin / "smallvision")
    said = environment.run([command, "--version"])
    if said != f"smallvision {version}":
        sys.exit(f"--version says {said!r}")
    print(f"installed and imported: {said}")

    draw = "from PIL import Image; Image.new('RGB', (40, 40), (40, 90, 160)).save('sky.png')"
    environment.call("-c", draw)
    answer = json.loads(environment.run([command, "classify", "cifar10", "sky.png", "--json"]))
    print(f"classified a picture: {json.dumps(answer)[:160]}")

    quick = ["--folds", "1", "--rungs", "linear,mlp", "--set", "epochs=3"]
    study = environment.run([command, "study", "digits", *quick, "--out", "study", "--json"])
    found = json.loads(study.splitlines()[-1])
    page = environment.folder / "study" / "report.html"
    if found["best"] is None or found["test"] is None or page.stat().st_size < 50_000:
        sys.exit(f"the study of digits has no winner, test or report: {found}")
    print(f"ran a study: {found['best']} won, its report has {page.stat().st_size:,} bytes")


def check_types(environment: Environment) -> None:
    """Check a script against the installed package as mypy sees it from outside.

    Raises:
        SystemExit: mypy says other than it should, as it does where `py.typed` is missing.
    """
    script = environment.folder / "consumer.py"
    script.write_text(CONSUMER, encoding="utf-8")
    options = ["--strict", "--python-executable", str(environment.python), "--no-error-summary"]
    mypy = [sys.executable, "-m", "mypy", *options, "--cache-dir", "mypy-cache", script.name]
    said = environment.run(mypy, code=1).splitlines()
    if len(said) != len(EXPECTED) or not all(
        part in line for part, line in zip(EXPECTED, said, strict=True)
    ):
        sys.exit("mypy says of a script that uses the installed package:\n" + "\n".join(said))
    print("mypy knows the types of the installed package")


def main() -> None:
    """Check both files; the first fault ends it with exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with one sdist and one wheel")
    parser.add_argument("--contents", action="store_true", help="do not install the wheel")
    parser.add_argument("--borrow", action="store_true", help="take dependencies from this Python")
    asked = parser.parse_args()
    wheel, sdist = find_one(asked.folder, "*.whl"), find_one(asked.folder, "*.tar.gz")
    version, tracked = wheel.name.split("-")[1], list_tracked()
    faults = [*check_sdist(sdist, tracked), *check_wheel(wheel, tracked, version)]
    faults += [f"{p.name} is too large" for p in (wheel, sdist) if p.stat().st_size > BOUND]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{wheel.name} and {sdist.name} hold what they should")
    if asked.contents:
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(Path(folder).resolve(), wheel.resolve(), borrow=asked.borrow)
        if asked.borrow:
            print("dependencies are borrowed: that they can be installed is not shown")
        try_out(environment, version)
        check_types(environment)


if __name__ == "__main__":
    main()
