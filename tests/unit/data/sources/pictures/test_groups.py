"""Groups of pictures: by the folder inside of the class folder, or by the name of the file."""

from __future__ import annotations

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


def test_a_group_in_two_parts_is_told(tmp_path):
    tree = "train/cat/p1_a.png train/cat/p2_a.png train/dog:2 test/cat/p1_b.png test/dog/p3_a.png"
    groups, notes = find_groups(plant_tree(tmp_path, tree), r"^(p\d+)_")
    assert groups["test"] == ["p1", "p3"]
    assert "Groups of the training part that are in the test part too: 1, such as 'p1'." in notes
