"""The package as a whole: what it exports, what it loads, what its documents say."""

import re
import subprocess
import sys
from pathlib import Path

import smallvision

ROOT = Path(smallvision.__file__).parents[2]


def test_public_names() -> None:
    assert sorted(smallvision.__all__) == [
        "Callback", "Limits", "StudyPlan", "UserError", "__version__",
        "classify", "compare", "distill", "ensemble", "evaluate", "explain", "explore",
        "export", "from_arrays", "load_data", "load_model", "mirrored", "report", "run_study",
        "show", "track", "train", "tune", "watch",
    ]  # fmt: skip
    for name in smallvision.__all__:
        assert getattr(smallvision, name) is not None


def test_no_room_hides_a_public_name() -> None:
    """A room called `train` would replace the function as soon as it is imported."""
    rooms = {path.parent.name for path in Path(smallvision.__file__).parent.glob("*/__init__.py")}
    assert not rooms & set(smallvision.__all__)


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, smallvision; assert not {'torch', 'numpy', 'optuna'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_report_needs_no_torch() -> None:
    code = "import sys, smallvision.reporting; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_room_is_on_the_map() -> None:
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    packages = page.split("## Packages")[1].split("## ")[0]
    for path in Path(smallvision.__file__).parent.iterdir():
        if path.name.startswith("_") or path.name == "py.typed":
            continue
        assert re.search(rf"\b{path.stem}\b", packages), f"{path.name} is not on the map"
