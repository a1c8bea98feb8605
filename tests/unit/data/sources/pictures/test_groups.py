"""Groups of pictures: by the folder inside of the class folder, or by the name of the file."""

from __future__ import annotations

from smallvision.data.loading.load import load_data
from smallvision.data.sources.pictures.folder import list_folder
from smallvision.data.sources.source import SourceOptions
from tests.support.sources import plant_tree


def find_groups(root, group_by):
    listing = list_folder(root, SourceOptions(group_by=group_by))
    groups = {
        part: [picture.group for picture in pictures] for part, pictures in listing.parts.items()
    }
    return groups, listing.notes


def test_folders_inside_of_class_folders(tmp_path):
    plant_tree(tmp_path, "fall/anna:2 fall/ben/1:1 fall/ben/2:1 walk/anna:1 walk/cem:1")
    groups, notes = find_groups(tmp_path, "folder")
    assert groups == {"train": ["anna", "anna", "ben", "ben", "anna", "cem"]}
    assert notes == ()


def test_a_folder_that_all_pictures_share_is_no_group(tmp_path):
    plant_tree(tmp_path, "fall/images/anna:1 fall/images/ben:1 walk/images/anna:2")
    groups, _ = find_groups(tmp_path, "folder")
    assert groups == {"train": ["anna", "ben", "anna", "anna"]}


def test_names_of_files(tmp_path):
    plant_tree(tmp_path, "cat/p1_a.png cat/p1_b.png cat/x.png dog/p1_a.png dog/p22_b.png")
    groups, notes = find_groups(tmp_path, r"^(p\d+)_")
    assert groups == {"train": ["p1", "p1", None, "p1", "p22"]}
    assert notes == ("Pictures that belong to no group and stand alone: 1.",)


def test_pictures_without_a_group_stand_alone_and_keep_the_others_together(tmp_path, own_cache):
    tree = " ".join(f"{name}/p{i // 4}_{i}.png" for name in ("cat", "dog") for i in range(12))
    data = load_data(
        plant_tree(tmp_path / "set", f"{tree} cat/x.png dog/y.png"), group_by=r"^(p\d+)_"
    )
    assert data.groups is not None
    assert {word for word in data.groups if not word.startswith("alone: ")} <= {"p0", "p1", "p2"}
    # Those of one group are all trained on, or all set aside.
    assert all(data.groups.count(word) == 8 for word in data.groups if word.startswith("p"))


SHARED_TEST = "training images of a group that test images belong to too"


def test_training_images_of_a_group_that_is_tested_are_left_out(tmp_path, own_cache):
    tree = "train/cat/p1_a.png train/cat/p2_a.png train/dog:2 test/cat/p1_b.png test/dog/p3_a.png"
    root = plant_tree(tmp_path / "set", tree)
    for _ in range(2):  # decoded, and from the cache
        data = load_data(root, group_by=r"^(p\d+)_")
        assert (len(data.train), len(data.test)) == (3, 2)
        assert "p1" not in (data.groups or ("p1",))
        assert [(one.count, one.example) for one in data.left_out if one.reason == SHARED_TEST] == [
            (1, "p1")
        ]


def test_a_person_of_a_column_that_is_tested_is_not_trained_on(tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", " ".join(f"{i}.png" for i in range(12)))
    rows = "\n".join(
        f"{i}.png,{'cd'[i % 2]},q{i // 2},{'test' if i in (1, 2, 5) else 'train'}"
        for i in range(12)
    )
    (root / "labels.csv").write_text(f"file,label,who,split\n{rows}", encoding="utf-8")
    data = load_data(root, group_by="who")
    assert data.groups is not None
    assert {*data.groups} == {"q3", "q4", "q5"}
    assert {one.reason: one.count for one in data.left_out} == {SHARED_TEST: 3}


def test_a_test_part_of_all_groups_is_refused(tmp_path, own_cache, refuses):
    tree = "train/cat/p1_a.png train/cat/p1_b.png train/dog:2 test/cat/p1_c.png test/dog/p3_a.png"
    root = plant_tree(tmp_path / "set", tree)
    with refuses(root, "all training images of class 'cat' are of groups that test images belong"):
        load_data(root, group_by=r"^(p\d+)_")


def test_a_group_that_is_tested_and_validated_on_is_told(tmp_path, own_cache):
    tree = "train/cat/p1.png train/cat/p2.png train/dog:2 "
    tree += "val/cat/p4_a.png val/dog:1 test/cat/p4_b.png test/dog/p3_a.png"
    said = (
        "Of 2 test images 1 are of groups that are validated on too (1, such as 'p4'): the test "
        "flatters models chosen by them."
    )
    assert said in load_data(plant_tree(tmp_path / "set", tree), group_by=r"^(p\d+)").notes
