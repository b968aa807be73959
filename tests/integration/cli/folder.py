"""A temporary folder with files to import, and the support of the real binary on the path."""

import gzip
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parent / "live")]
FIXTURES = HERE / "fixtures"
ONLINE_RETAIL = HERE.parents[2] / "examples" / "online_retail"


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own, and a data folder in it that is not there yet."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.data = self.folder / "data"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def excerpt(self, gzipped, lines):
        """The first lines of a gzip'ed file as a plain one."""
        path = self.folder / gzipped.name.removesuffix(".gz")
        with gzip.open(gzipped, "rt", encoding="utf-8") as source, open(path, "w", encoding="utf-8") as out:
            out.writelines(line for _, line in zip(range(lines), source))
        return path
