"""Every data set of files: what it is, how its files lie, where they come from, checksums.

A further set whose files lie in one of the known ways is one more entry here.
"""

from typing import NamedTuple

__all__ = ["SOURCES", "File", "Layout", "Source"]

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CIFAR_FILES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


class File(NamedTuple):
    """A file to download.

    Attributes
    ----------
    name : str
        Its name below a mirror's address.
    md5 : str
        The checksum that torchvision or the authors give.
    sha256 : str
        A checksum that also holds against files made to deceive: one mirror is plain http.
    size : int
        Its bytes. A server that sends more is not listened to.
    """

    name: str
    md5: str
    sha256: str
    size: int


class Layout(NamedTuple):
    """One way in which the files of a set may lie, each gzipped or not.

    Attributes
    ----------
    folder : str
        Where, below a data folder.
    files : tuple of str
        Their names, those of training before those of the test.
    kind : str
        Which reader of `vaecourse.data.torchvision_sets` takes them.
    """

    folder: str
    files: tuple[str, ...]
    kind: str


class Source(NamedTuple):
    """A data set of images.

    Attributes
    ----------
    title : str
        What a sentence calls it.
    event : tuple of int
        Shape of one image as its files hold it.
    num_classes : int
        Labels run from 0 to one less.
    size : int
        Images that were published, training and test.
    stand_in : str or None
        The data set that may be drawn in its place.
    layouts : tuple of Layout
        Ways in which its files may lie; a download uses the first.
    mirrors : tuple of str
        Addresses that hold the same files.
    files : tuple of File
        What to download: the files of the first layout, or one archive of them.
    """

    title: str
    event: tuple[int, ...]
    num_classes: int
    size: int
    stand_in: str | None
    layouts: tuple[Layout, ...]
    mirrors: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def is_color(self) -> bool:
        """Whether images have channels."""
        return len(self.event) == 3


_MNIST = Source(
    title="MNIST",
    event=(28, 28),
    num_classes=10,
    size=70_000,
    stand_in="strokes",
    layouts=(Layout("MNIST/raw", IDX_FILES, "idx"),),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://yann.lecun.com/exdb/mnist/",
    ),
    files=(
        File(
            "train-images-idx3-ubyte.gz",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            "9fb629c4189551a2d022fa330f9573f3",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            "ec29112dd5afa0611ce80d1b7f02629c",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
        ),
    ),
)
_FASHION_MNIST = Source(
    title="Fashion-MNIST",
    event=(28, 28),
    num_classes=10,
    size=70_000,
    stand_in="strokes",
    layouts=(Layout("FashionMNIST/raw", IDX_FILES, "idx"),),
    mirrors=(
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        # The same bucket as a web page, which knows no https.
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files=(
        File(
            "train-images-idx3-ubyte.gz",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            "25c81989df183df01b3e8a0aad5dffbe",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            "bef4ecab320f06d8554ea6380940ec79",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            "bb300cfdad3c16e7a12a480ee83cd310",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
        ),
    ),
)
_CIFAR10 = Source(
    title="CIFAR-10",
    event=(3, 32, 32),
    num_classes=10,
    size=60_000,
    stand_in=None,
    layouts=(
        Layout(
            "cifar-10-batches-bin", tuple(f"{name}.bin" for name in CIFAR_FILES), "cifar binary"
        ),
        Layout("cifar-10-batches-py", CIFAR_FILES, "cifar python"),
    ),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    files=(
        File(
            "cifar-10-binary.tar.gz",
            "c32a1d4ab5d03f1284b67883e8d87530",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
        ),
    ),
)
SOURCES = {"mnist": _MNIST, "fashion_mnist": _FASHION_MNIST, "cifar10": _CIFAR10}
