"""Layouts of well-known sets and tools, as they are downloaded: what each loads as.

`docs/DATA.md` shows the same table; a test compares both.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import io as scipy_io

from smallvision.data.loading.load import load_data
from smallvision.errors import DataError
from tests.support.sources import encode_picture

DOCUMENT = Path(__file__).parents[2] / "docs" / "DATA.md"
KINDS = {".png": "PNG", ".ppm": "PPM", ".tif": "TIFF", ".bmp": "BMP"}


@dataclass(frozen=True)
class Public:
    """A layout.

    Attributes:
        pictures: patterns of the files of pictures; `{a,b}` and `{0-4}` stand for several.
        loads: classes in order, and pictures in the training, validation and test part; the test
            part is 0 where it is set aside from the training pictures.
        tables: other files, by their names.
        notes: words of a note.
        mats: the variables of MATLAB files, by their names.
        packed: folders that lie there as zip files.
    """

    pictures: tuple[str, ...]
    loads: tuple[str, int, int, int]
    tables: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    mats: dict[str, dict[str, Any]] = field(default_factory=dict)
    packed: tuple[str, ...] = ()


def rows(header: str, *lines: str, end: str = "\n") -> str:
    return end.join([header, *lines]) + end


def number(pattern: str, n: int) -> list[str]:
    """Lines with the number `i`, and a class `k` of two."""
    return [pattern.format(i=i, k="ab"[i % 2], z=i % 2, o=1 - i % 2) for i in range(n)]


CUB, PETS = ("001.Albatross", "002.Auklet"), ("Abyssinian", "english_setter")


def listed(pattern: str, classes: tuple[str, ...], n: int, *, start: int = 0) -> str:
    """A line for each picture of each class: class `k`, number `i`, and further numbers."""
    lines = [
        pattern.format(k=k, i=i, z=z, c=z + 1, n=n * z + i + 1, t=int(i < 4))
        for z, k in enumerate(classes)
        for i in range(start, n)
    ]
    return "\n".join(lines) + "\n"


def cells(*texts: str) -> np.ndarray:
    """A column of cells, as MATLAB has texts."""
    return np.array(texts, dtype=object)[:, None]


def structures(*elements: dict[str, Any]) -> np.ndarray:
    """An array of structures with the same fields."""
    kinds = [(name, object) for name in elements[0]]
    return np.array([[tuple(each.values()) for each in elements]], dtype=kinds)


def car(i: int, **fields: Any) -> dict[str, Any]:
    return {"bbox_x1": i, "bbox_y1": 7 + i % 2, **fields, "class": 1 + i % 2}


ONE_TO_4 = range(1, 5)
FLOWERS = ("jpg/tulip/image_00{09,10}.jpg",)
DOGS = ("n02085620-Chihuahua", "n02085936-Maltese_dog")


def dogs(*numbers: int) -> dict[str, Any]:
    pairs = [(k, i) for k in (0, 1) for i in numbers]
    return {
        "file_list": cells(*(f"{DOGS[k]}/{DOGS[k][:9]}_{i}.jpg" for k, i in pairs)),
        "annotation_list": cells(*(f"{DOGS[k]}/{DOGS[k][:9]}_{i}" for k, i in pairs)),
        "labels": np.array([[k + 1] for k, _ in pairs]),
    }


PUBLIC = {
    "Flowers-102": Public(
        ("jpg/image_0000{1-8}.jpg", "jpg/image_0001{0-7}.jpg", "jpg/image_00009.jpg"),
        ("1 2", 10, 4, 3),
        {},
        "setid.mat tells the parts",
        {
            "imagelabels.mat": {"labels": np.array([[1 + i % 2 for i in range(17)]])},
            "setid.mat": {
                "trnid": np.array([[*range(1, 11)]]),
                "valid": np.array([[11, 13, 12, 14]]),
                "tstid": np.array([[15, 16, 17]]),
            },
        },
    ),
    "Flowers-17, in folders": Public(
        ("jpg/daffodil/image_000{1-8}.jpg", "jpg/tulip/image_001{1-6}.jpg", *FLOWERS),
        ("daffodil tulip", 8, 4, 4),
        {},
        "datasplits.mat tells the parts, the first of 2 divisions",
        {
            "datasplits.mat": {
                f"{part}{n}": np.array([[i for i in range(1, 17) if i % 4 in rest]])
                for n in (1, 2)
                for part, rest in (("trn", (0, 1)), ("val", (2,)), ("tst", (3,)))
            }
        },
    ),
    "Stanford Cars": Public(
        ("car_ims/00000{1-8}.jpg",),
        ("Acura RL Sedan 2012;Hummer SUV 2000", 6, 0, 2),
        {},
        "'class' the classes and 'test' the parts",
        {
            "cars_annos.mat": {
                "annotations": structures(
                    *(
                        {"relative_im_path": f"car_ims/{i:06}.jpg", **car(i), "test": int(i > 6)}
                        for i in range(1, 9)
                    )
                ),
                "class_names": cells("Hummer SUV 2000", "Acura RL Sedan 2012").T,
            }
        },
    ),
    "Stanford Cars, with its devkit": Public(
        ("cars_train/0000{1-8}.jpg", "cars_test/0000{1-4}.jpg"),
        ("Acura RL Sedan 2012;Hummer SUV 2000", 8, 0, 4),
        {},
        "no picture (devkit/cars_test_annos.mat)",
        {
            "devkit/cars_train_annos.mat": {
                "annotations": structures(*(car(i, fname=f"{i:05}.jpg") for i in range(1, 9)))
            },
            "devkit/cars_test_annos.mat": {
                "annotations": structures(
                    *(
                        {"bbox_x1": i, "bbox_y1": 7 + i % 2, "fname": f"{i:05}.jpg"}
                        for i in ONE_TO_4
                    )
                )
            },
            "devkit/cars_meta.mat": {
                "class_names": cells("Hummer SUV 2000", "Acura RL Sedan 2012").T
            },
            "cars_test_annos_withlabels.mat": {
                "annotations": structures(*(car(i, fname=f"{i:05}.jpg") for i in ONE_TO_4))
            },
        },
    ),
    "Stanford Dogs": Public(
        tuple(f"Images/{name}/{name[:9]}_{{0-7}}.jpg" for name in DOGS),
        (" ".join(DOGS), 10, 0, 6),
        {},
        "The classes are called like their folders.",
        {
            "lists/file_list.mat": dogs(*range(8)),
            "lists/train_list.mat": dogs(*range(5)),
            "lists/test_list.mat": dogs(5, 6, 7),
        },
    ),
    "Faces of Wikipedia": Public(
        ("wiki_crop/{00,01}/{10-15}_1.jpg",),
        ("00 01", 12, 0, 0),
        {},
        "no picture (wiki.mat)",
        {
            "wiki.mat": {
                "wiki": {
                    "full_path": cells(
                        *(f"0{k}/{i}_1.jpg" for k in (0, 1) for i in range(10, 16))
                    ).T,
                    "gender": np.array([[i % 2 for i in range(12)]]),
                    "name": cells(*(f"P {i}" for i in range(12))).T,
                }
            }
        },
    ),
    "Archives for each part, and a table": Public(
        ("train/{0-9}.png", "test/{10-12}.png"),
        ("a b", 10, 0, 0),
        {"trainLabels.csv": rows("id,label", *number("{i},{k}", 10))},
        "The archives were unpacked and are read as one set: test.zip, train.zip.",
        packed=("train", "test"),
    ),
    "An archive for each class": Public(
        ("cat/{0-4}.jpg", "dog/{0-4}.jpg"), ("cat dog", 10, 0, 0), packed=("cat", "dog")
    ),
    "Numbers whose zeros a program took away": Public(
        ("images/00{1-9}.png", "images/010.png"),
        ("a b", 10, 0, 0),
        {"labels.csv": rows("id,label", *(f"{i},{'ab'[i % 2]}" for i in range(1, 11)))},
    ),
    "Cats vs dogs (Microsoft)": Public(
        ("PetImages/{Cat,Dog}/{0-4}.jpg",),
        ("Cat Dog", 10, 0, 0),
        {"PetImages/Cat/Thumbs.db": "x", "readme[1].txt": "x"},
        "no picture (readme[1].txt)",
    ),
    "PlantVillage": Public(
        ("PlantVillage/{Tomato___rust,Potato___healthy}/a b {0-4}.JPG",),
        ("Potato___healthy Tomato___rust", 10, 0, 0),
    ),
    "GTSRB": Public(
        (
            "GTSRB/Final_Training/Images/{00000,00001}/{0-4}.ppm",
            "GTSRB/Final_Test/Images/{0-3}.ppm",
        ),
        ("00000 00001", 10, 0, 0),
        {"GTSRB/Final_Training/Images/00000/GT-00000.csv": "Filename;ClassId\n0.ppm;0\n"},
        "without a label (4,",
    ),
    "GTSRB (Kaggle)": Public(
        ("Train/{0,1,10}/{0-3}.png", "Test/{0-2}.png", "Meta/{0,1,10}.png"),
        ("0 1 10", 12, 0, 3),
        {
            "Train.csv": rows(
                "Width,ClassId,Path",
                *(f"12,{k},Train/{k}/{i}.png" for k in (0, 1, 10) for i in range(4)),
            ),
            "Test.csv": rows(
                "Width,ClassId,Path", *(f"12,{k},Test/{i}.png" for i, k in enumerate((0, 1, 10)))
            ),
        },
        "named by no row of the table (3, such as Meta/0.png)",
    ),
    "Caltech 101": Public(
        ("101_ObjectCategories/{BACKGROUND_Google,accordion}/image_{0-4}.jpg",),
        ("BACKGROUND_Google accordion", 10, 0, 0),
        {"Annotations/accordion/annotation_0001.mat": "x"},
    ),
    "Hugging Face, metadata.jsonl in each part": Public(
        ("train/{0-7}.png", "test/{0-3}.png"),
        ("0 1", 8, 0, 4),
        {
            f"{part}/metadata.jsonl": "\n".join(
                json.dumps({"file_name": f"{i}.png", "label": i % 2}) for i in range(n)
            )
            for part, n in (("train", 8), ("test", 4))
        },
        "In metadata.jsonl, 'file_name' names the pictures",
    ),
    "Hugging Face, metadata.csv above the parts": Public(
        ("data/train/{0-7}.png", "data/test/{0-3}.png"),
        ("a b", 8, 0, 4),
        {
            "data/metadata.csv": rows(
                "file_name,label", *number("train/{i}.png,{k}", 8), *number("test/{i}.png,{k}", 4)
            )
        },
    ),
    "Roboflow, folders": Public(
        ("train/{rock,paper}/{0-4}_jpg.rf.0a.jpg", "{valid,test}/{rock,paper}/{0-1}.jpg"),
        ("paper rock", 10, 4, 4),
        {"README.roboflow.txt": "x"},
    ),
    "Roboflow, _classes.csv": Public(
        ("train/{0-7}.jpg", "{valid,test}/{0-3}.jpg"),
        ("paper rock", 8, 4, 4),
        {
            f"{part}/_classes.csv": rows("filename, rock, paper", *number("{i}.jpg, {z}, {o}", n))
            for part, n in (("train", 8), ("valid", 4), ("test", 4))
        },
        "2 columns the classes",
    ),
    "CSV of Excel: semicolons, BOM, paths of Windows": Public(
        ("pictures/Bild {0-9}.png",),
        ("a b", 10, 0, 0),
        {
            "labels.csv": "\ufeff"
            + rows(
                "Datei;Klasse",
                *number("C:\\Eigene Bilder\\pictures\\Bild {i}.png;{k}", 10),
                end="\r\n",
            )
        },
        "'Datei' names the pictures",
    ),
    "Text of Excel in UTF-16": Public(
        ("{0-9}.png",),
        ("a b", 10, 0, 0),
        {"labels.utf-16.csv": rows("file,label", *number("{i}.png,{k}", 10), end="\r\n")},
    ),
    "Names with umlauts, spaces and signs": Public(
        ("Über sicht/{Äpfel & Birnen,50 % Öl}/größe {0-4} (1).png",),
        ("50 % Öl;Äpfel & Birnen", 10, 0, 0),
    ),
    "Teachable Machine": Public(
        ("samples/{Class 1,Class 2}/{0-4}.jpg",), ("Class 1;Class 2", 10, 0, 0), packed=("samples",)
    ),
    "Label Studio, CSV": Public(
        ("images/a1b2-p{0-9}.jpg",),
        ("a b", 10, 0, 0),
        {
            "project-1-at-2024.csv": rows(
                "annotation_id,annotator,choice,id,image",
                *number("{i},1,{k},{i},/data/upload/1/a1b2-p{i}.jpg", 10),
            )
        },
        "'image' names the pictures and 'choice' the classes",
    ),
    "Intel's scenes": Public(
        (
            "seg_train/seg_train/{sea,street}/{0-4}.jpg",
            "seg_test/seg_test/{sea,street}/{0-1}.jpg",
            "seg_pred/seg_pred/{0-2}.jpg",
        ),
        ("sea street", 10, 0, 4),
        {},
        "without a label (3,",
    ),
    "HAM10000": Public(
        ("HAM10000_images_part_1/ISIC_{0-5}.jpg", "HAM10000_images_part_2/ISIC_{6-9}.jpg"),
        ("a b", 10, 0, 0),
        {"HAM10000_metadata.csv": rows("lesion_id,image_id,dx", *number("H{i},ISIC_{i},{k}", 10))},
    ),
    "APTOS and other contests of Kaggle": Public(
        ("train_images/{0-9}ab.png", "test_images/{0-2}cd.png"),
        ("0 1", 10, 0, 0),
        {
            "train.csv": rows("id_code,diagnosis", *number("{i}ab,{z}", 10)),
            "test.csv": rows("id_code", "0cd", "1cd", "2cd"),
            "sample_submission.csv": rows("id_code,diagnosis", "0cd,0", "1cd,0"),
        },
        "no label (3, such as test_images/0cd.png)",
    ),
    "A column for each class": Public(
        ("images/Train_{0-9}.jpg",),
        ("healthy rust", 10, 0, 0),
        {"train.csv": rows("image_id,healthy,rust", *number("Train_{i},{z},{o}", 10))},
    ),
    "Chest X-rays": Public(
        (
            "chest_xray/train/{NORMAL,PNEUMONIA}/{0-4}.jpeg",
            "chest_xray/{val,test}/{NORMAL,PNEUMONIA}/{0-1}.jpeg",
            "__MACOSX/chest_xray/train/NORMAL/{0-1}.jpeg",
        ),
        ("NORMAL PNEUMONIA", 10, 4, 4),
        {},
        "hidden (2,",
    ),
    "Fruits 360": Public(
        (
            "fruits-360/Training/{Apple Red,Kiwi}/{0-4}_100.jpg",
            "fruits-360/Test/{Apple Red,Kiwi}/{0-1}_100.jpg",
            "fruits-360/test-multiple_fruits/{0-1}.jpg",
        ),
        ("Apple Red;Kiwi", 10, 0, 4),
        {},
        "without a label (2,",
    ),
    "EuroSAT (Kaggle)": Public(
        ("{Crop,Forest}/{Crop,Forest}_{0-5}.jpg",),
        ("Crop Forest", 8, 2, 2),
        {
            f"{part}.csv": rows(
                ",Filename,Label,ClassName",
                *(
                    f"{i},{k}/{k}_{i}.jpg,{j},{k}"
                    for j, k in enumerate(("Crop", "Forest"))
                    for i in some
                ),
            )
            for part, some in (("train", range(4)), ("validation", [4]), ("test", [5]))
        },
        "'ClassName' the classes",
    ),
    "UC Merced": Public(
        ("UCMerced_LandUse/Images/{beach,river}/{0-4}.tif",), ("beach river", 10, 0, 0)
    ),
    "Food-101": Public(
        ("food-101/images/{apple_pie,waffles}/{1000-1009}.jpg",),
        ("apple_pie waffles", 14, 0, 6),
        {
            "food-101/meta/train.txt": "".join(
                f"{name}/{i}\n" for name in ("apple_pie", "waffles") for i in range(1000, 1007)
            ),
            "food-101/meta/test.txt": "".join(
                f"{name}/{i}\n" for name in ("apple_pie", "waffles") for i in range(1007, 1010)
            ),
            "food-101/meta/classes.txt": "apple_pie\nwaffles\n",
        },
        "food-101/meta/test.txt and food-101/meta/train.txt tell the parts",
    ),
    "Describable textures (DTD)": Public(
        ("dtd/images/{banded,dotted}/a_{0-8}.jpg",),
        ("banded dotted", 6, 6, 6),
        {
            f"dtd/labels/{part}{number}.txt": "".join(
                f"{name}/a_{3 * k + i}.jpg\n" for name in ("banded", "dotted") for i in range(3)
            )
            for number in (1, 2)
            for k, part in enumerate(("train", "val", "test"))
        },
        "the first of 2 divisions",
    ),
    "CUB-200": Public(
        ("CUB_200_2011/images/{001.Albatross,002.Auklet}/Bird_{0-5}_7.jpg",),
        ("001.Albatross 002.Auklet", 8, 0, 4),
        {
            "CUB_200_2011/images.txt": listed("{n} {k}/Bird_{i}_7.jpg", CUB, 6),
            "CUB_200_2011/image_class_labels.txt": listed("{n} {c}", CUB, 6),
            "CUB_200_2011/train_test_split.txt": listed("{n} {t}", CUB, 6),
            "CUB_200_2011/classes.txt": "1 001.Albatross\n2 002.Auklet\n",
            "CUB_200_2011/bounding_boxes.txt": listed("{n} 1.0 2.0 3.0 4.0", CUB, 6),
        },
        "CUB_200_2011/train_test_split.txt tells the parts",
    ),
    "NABirds": Public(
        ("nabirds/images/{0295,0296}/a{0-5}b.jpg",),
        ("Bufflehead;Common Goldeneye", 8, 0, 4),
        {
            "nabirds/images.txt": listed("{k}-{i} {k}/a{i}b.jpg", ("0295", "0296"), 6),
            "nabirds/train_test_split.txt": listed("{k}-{i} {t}", ("0295", "0296"), 6),
            "nabirds/classes.txt": "295 Common Goldeneye\n296 Bufflehead\n",
        },
        "The classes have the names in nabirds/classes.txt",
    ),
    "Oxford pets": Public(
        (
            "images/{Abyssinian,english_setter}_{0-7}.jpg",
            "annotations/trimaps/{Abyssinian,english_setter}_{0-7}.png",
        ),
        ("Abyssinian english_setter", 10, 0, 6),
        {
            "annotations/list.txt": "#Image CLASS-ID SPECIES BREED ID\n"
            + listed("{k}_{i} {c} 1 {c}", PETS, 8),
            "annotations/trainval.txt": listed("{k}_{i} {c} 1 {c}", PETS, 5),
            "annotations/test.txt": listed("{k}_{i} {c} 1 {c}", PETS, 8, start=5),
        },
        "The classes are called like their pictures",
    ),
    "MIT indoor scenes": Public(
        ("Images/{bar,gym}/im_{0-7}.jpg",),
        ("bar gym", 10, 0, 6),
        {
            "TrainImages.txt": listed("{k}/im_{i}.jpg", ("bar", "gym"), 5),
            "TestImages.txt": listed("{k}/im_{i}.jpg", ("bar", "gym"), 8, start=5),
        },
    ),
    "DomainNet": Public(
        ("clipart/{apple,bus}/clipart_{0-7}.jpg",),
        ("apple bus", 10, 0, 6),
        {
            "clipart_train.txt": listed("clipart/{k}/clipart_{i}.jpg {c}", ("apple", "bus"), 5),
            "clipart_test.txt": listed(
                "clipart/{k}/clipart_{i}.jpg {c}", ("apple", "bus"), 8, start=5
            ),
        },
    ),
    "Lists of paths and numbers": Public(
        ("imgs/{0-15}.jpg",),
        ("cat dog", 10, 6, 0),
        {
            "train.txt": "".join(f"imgs/{i}.jpg {i % 2}\n" for i in range(10)),
            "val.txt": "".join(f"imgs/{i}.jpg {i % 2}\n" for i in range(10, 16)),
            "classes.txt": "cat\ndog\n",
        },
        "The classes have the names in classes.txt",
    ),
    "ImageNet, as OpenMMLab has it": Public(
        ("train/{n01440764,n01443537}/n_{0-5}.JPEG", "val/ILSVRC2012_val_{1-4}.JPEG"),
        ("n01440764 n01443537", 12, 4, 0),
        {
            "meta/train.txt": listed("{k}/n_{i}.JPEG {z}", ("n01440764", "n01443537"), 6),
            "meta/val.txt": "".join(f"ILSVRC2012_val_{i}.JPEG {i % 2}\n" for i in range(1, 5)),
        },
        "meta/val.txt tells the classes of the pictures in val/",
    ),
    "ImageNet (Kaggle)": Public(
        (
            "ILSVRC/Data/CLS-LOC/train/{n01,n02}/n_{0-5}.JPEG",
            "ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_{1-4}.JPEG",
            "ILSVRC/Data/CLS-LOC/test/ILSVRC2012_test_{1-3}.JPEG",
        ),
        ("goldfish tench", 12, 4, 0),
        {
            "LOC_val_solution.csv": rows(
                "ImageId,PredictionString",
                *(f"ILSVRC2012_val_{i},n0{i % 2 + 1} 1 2 3 4 " for i in range(1, 5)),
            ),
            "LOC_synset_mapping.txt": "n01 tench, Tinca tinca\nn02 goldfish\n",
        },
        "without a label (3,",
    ),
    "Tiny ImageNet": Public(
        (
            "tiny-imagenet-200/train/{n01443537,n01629819}/images/n_{0-5}.JPEG",
            "tiny-imagenet-200/val/images/val_{0-3}.JPEG",
            "tiny-imagenet-200/test/images/test_{0-2}.JPEG",
        ),
        ("goldfish salamander", 12, 4, 0),
        {
            "tiny-imagenet-200/val/val_annotations.txt": "".join(
                f"val_{i}.JPEG\t{('n01443537', 'n01629819')[i % 2]}\t0\t0\t9\t9\n" for i in range(4)
            ),
            "tiny-imagenet-200/train/n01443537/n01443537_boxes.txt": "n_0.JPEG\t0\t0\t9\t9\n",
            "tiny-imagenet-200/words.txt": (
                "n01443537\tgoldfish, Carassius\nn01629819\tsalamander\n"
            ),
        },
        "without a label (3,",
    ),
    "GTSRB with the labels of its test": Public(
        (
            "GTSRB/Final_Training/Images/{00000,00001}/{0-4}.ppm",
            "GTSRB/Final_Test/Images/t{0-3}.ppm",
        ),
        ("00000 00001", 10, 0, 4),
        {
            "GTSRB/GT-final_test.csv": rows(
                "Filename;Width;Height;Roi.X1;ClassId",
                *(f"t{i}.ppm;9;9;1;{i % 2}" for i in range(4)),
            )
        },
        "GTSRB/GT-final_test.csv tells the classes of the pictures in GTSRB/Final_Test/",
    ),
    "Chest X-rays, with lists": Public(
        ("images_001/images/x{0-5}.png", "images_002/images/x{6-9}.png"),
        ("Mass None", 6, 0, 4),
        {
            "Data_Entry_2017.csv": rows(
                "Image Index,Finding Labels,Patient ID",
                *(f"x{i}.png,{('Mass', 'None')[i % 2]},{i // 2}" for i in range(10)),
            ),
            "train_val_list.txt": "".join(f"x{i}.png\n" for i in range(6)),
            "test_list.txt": "".join(f"x{i}.png\n" for i in range(6, 10)),
        },
        "test_list.txt and train_val_list.txt tell the parts",
    ),
    "fastai, with a column is_valid": Public(
        ("train/{0-15}.jpg",),
        ("cat dog", 12, 4, 0),
        {
            "train.csv": rows(
                "fname,labels,is_valid",
                *(f"{i}.jpg,{('cat', 'dog')[i % 2]},{i > 11}" for i in range(16)),
            )
        },
        "'is_valid' the parts",
    ),
    "ISIC 2016": Public(
        ("ISBI2016_ISIC_Part3_Training_Data/ISIC_{0-9}.jpg",),
        ("benign malignant", 10, 0, 0),
        {
            "ISBI2016_ISIC_Part3_Training_GroundTruth.csv": "".join(
                f"ISIC_{i},{('benign', 'malignant')[i % 2]}\n" for i in range(10)
            )
        },
    ),
    "ArtBench": Public(
        ("artbench-10/{baroque,realism}/{0-5}.jpg",),
        ("baroque realism", 8, 0, 4),
        {
            "ArtBench-10.csv": rows(
                "name,artist,width,split",
                *(
                    f"{k}/{i}.jpg,{k}-{i % 3},9,{'train' if i < 4 else 'test'}"
                    for k in ("baroque", "realism")
                    for i in range(6)
                ),
            )
        },
        "ArtBench-10.csv tells the parts",
    ),
    "MNIST as PNG": Public(
        ("mnist_png/training/{0-9}/{0-3}.png", "mnist_png/testing/{0-9}/{0-1}.png"),
        ("0 1 2 3 4 5 6 7 8 9", 40, 0, 20),
        {},
        "testing/ is read as the test part",
    ),
    "YOLO, folders": Public(
        ("train/{ok,defect}/{0-4}.jpg", "val/{ok,defect}/{0-1}.jpg"),
        ("defect ok", 10, 4, 0),
        {"data.yaml": "names: [ok, defect]", "train.cache": "x"},
        "no picture (2,",
    ),
    "A CSV with paths of another machine": Public(
        ("pics/{0-9}.png",),
        ("a b", 10, 0, 0),
        {"d.csv": rows("path,label", *number("/content/drive/pics/{i}.png,{k}", 10))},
    ),
    "A CSV without names of columns": Public(
        ("im/{0-9}.png",),
        ("a b", 10, 0, 0),
        {"all_data.csv": "\n".join(number("gs://bucket/im/{i}.png,{k}", 10))},
    ),
    "Labels in a folder of their own": Public(
        ("data/img/{0-9}.png",),
        ("a b", 10, 0, 0),
        {"meta/labels.csv": rows("img,label", *number("{i}.png,{k}", 10))},
    ),
    "A column of parts that tells none": Public(
        ("images/{0-9}.png",),
        ("a b", 10, 0, 0),
        {"labels.csv": rows("file,label,split", *number("{i}.png,{k},{z}", 10))},
        "Column split tells no training part and is not used",
    ),
    "Findings, several at once": Public(
        ("images/{0-8}.png",),
        ("Mass;Mass|Nodule;None", 9, 0, 0),
        {
            "Data_Entry.csv": rows(
                "Image Index,Finding Labels",
                *(f"{i}.png,{('Mass', 'Mass|Nodule', 'None')[i % 3]}" for i in range(9)),
            )
        },
        "1 classes name several others, such as 'Mass|Nodule'",
    ),
}

REFUSED = {
    "Oxford pets without their lists": (
        (
            "images/{Abyssinian,Bengal}_{0-4}.jpg",
            "annotations/trimaps/{Abyssinian,Bengal}_{0-4}.png",
        ),
        ("'annotations', 'images' are kinds of files", "--label-from"),
    ),
    "Pascal VOC": (
        ("VOC2012/{JPEGImages,SegmentationClass,SegmentationObject}/{0-4}.png",),
        ("are kinds of files by their names and no classes",),
    ),
    "pictures and masks": (
        ("{images,masks}/{0-4}.png",),
        ("'images', 'masks' are kinds of files",),
    ),
    "Cats vs dogs (Kaggle)": (
        ("train/{cat,dog}.{0-4}.jpg", "test1/{0-2}.jpg"),
        ("are parts by their names", "--label-from"),
    ),
    "the same set twice": (
        ("flowers/{daisy,rose}/{0-4}.jpg", "flowers/flowers/{daisy,rose}/{0-4}.jpg"),
        ("'flowers' holds only folders ('daisy', 'rose')",),
    ),
    "folds": (("fold{1-3}/{a,b}/{0-2}.png",), ("hold folders of the same names ('a', 'b')",)),
    "MVTec": (
        ("bottle/train/good/{0-4}.png", "bottle/test/{good,broken}/{0-2}.png"),
        ("no train/",),
    ),
}


def expand(pattern: str) -> list[str]:
    """All names that a pattern stands for."""
    pieces = re.split(r"\{([^}]*)\}", pattern)
    choices = []
    for place, piece in enumerate(pieces):
        if place % 2 and (found := re.fullmatch(r"(\d+)-(\d+)", piece)):
            choices.append([str(i) for i in range(int(found[1]), int(found[2]) + 1)])
        else:
            choices.append(piece.split(",") if place % 2 else [piece])
    return ["".join(each) for each in itertools.product(*choices)]


def grow(root: Path, patterns: tuple[str, ...]) -> Path:
    """Write a picture of noise for each name."""
    rng = np.random.default_rng(0)
    for name in itertools.chain.from_iterable(map(expand, patterns)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        path.write_bytes(encode_picture(pixels, KINDS.get(path.suffix.lower(), "JPEG")))
    return root


def grow_public(root: Path, case: Public) -> Path:
    grow(root, case.pictures)
    for name, content in case.tables.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode("utf-16" if "utf-16" in name else "utf-8"))
    for name, variables in case.mats.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        scipy_io.savemat(root / name, variables, do_compression=len(name) % 2 == 0)
    for folder in case.packed:
        shutil.make_archive(str(root / folder), "zip", root / folder)
        shutil.rmtree(root / folder)
    return root / f"{case.packed[0]}.zip" if len(case.packed) == 1 else root


@pytest.mark.parametrize("case", PUBLIC.values(), ids=PUBLIC)
def test_a_public_layout_loads(case, tmp_path, own_cache):
    data = load_data(grow_public(tmp_path / "set", case))
    names, train, val, test = case.loads
    classes = tuple(names.split(";") if ";" in names else names.split())
    carved = len(data.test) if data.carved else 0
    found = (len(data.train) + carved, len(data.val or ()), len(data.test) - carved)
    assert (data.train.class_names, found) == (classes, (train, val, test))
    assert case.notes in "\n".join(data.notes)
    assert len(set(data.notes)) == len(data.notes)


@pytest.mark.parametrize(("pictures", "words"), REFUSED.values(), ids=REFUSED)
def test_a_public_layout_that_is_refused(pictures, words, tmp_path, own_cache):
    with pytest.raises(DataError) as caught:
        load_data(grow(tmp_path / "set", pictures))
    for each in words:
        assert each in str(caught.value)


def test_kinds_of_files_can_be_named_as_the_classes(tmp_path, own_cache):
    root = grow(tmp_path / "set", REFUSED["pictures and masks"][0])
    assert load_data(root, train=root).train.class_names == ("images", "masks")


def show_table() -> str:
    """The rows of the table in the document."""
    lines = []
    for name, case in PUBLIC.items():
        names, train, val, test = case.loads
        classes = names.replace(";", ", ") if ";" in names else names.replace(" ", ", ")
        files = [*case.pictures, *case.tables, *case.mats]
        lie = "<br>".join(f"`{each}`" for each in files).replace("|", "\\|")
        parts = (
            f"{train} train" + (f", {val} val" if val else "") + (f", {test} test" if test else "")
        )
        lines.append(f"| {name} | {lie} | {classes.replace('|', '&#124;')}: {parts} |")
    return "\n".join(lines)


def test_the_document_shows_the_same_layouts():
    assert show_table() in DOCUMENT.read_text(encoding="utf-8")
