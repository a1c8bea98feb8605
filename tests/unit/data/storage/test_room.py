"""How much memory images may take."""

import pytest

from smallvision.data.storage.room import WORKING_SET, count_chunk, fits_memory, working_set
from smallvision.errors import SettingError


@pytest.mark.parametrize(
    ("text", "size"),
    [("", WORKING_SET), ("1.5GB", 1_500_000_000), ("800 mb", 800_000_000), ("4096", 4096)],
)
def test_a_size_is_read(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("SMALLVISION_WORKING_SET", text)
    assert working_set() == size
    assert fits_memory(size // 6)
    assert not fits_memory(size // 6 + 1)


@pytest.mark.parametrize("text", ["much", "-1GB", "1 GiB", "1e9", "nan"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SMALLVISION_WORKING_SET", text)
    with pytest.raises(SettingError, match=r"expected a size such as 1\.5GB"):
        working_set()


def test_large_images_are_read_a_few_at_a_time() -> None:
    assert count_chunk(3 * 32 * 32) == 4096
    assert count_chunk(3 * 224 * 224) == 106
    assert count_chunk(10**9) == 1
