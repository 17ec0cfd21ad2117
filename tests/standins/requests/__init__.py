"""Stands in for requests: whatever is asked for, the answer is an archive of a small citation graph."""

import io
import tarfile

import numpy


def _graph(nodes=2708, classes=7, words=1433, seed=1):
    """Lines of cora.content and cora.cites: papers whose words and links follow their class."""
    draw = numpy.random.default_rng(seed)
    kinds = draw.integers(0, classes, nodes)
    names = ["Case_Based", "Genetic_Algorithms", "Neural_Networks", "Probabilistic_Methods", "Reinforcement_Learning", "Rule_Learning", "Theory"]
    content, cites = [], []
    for paper in range(nodes):
        row = draw.random(words) < 0.01
        row[draw.integers(0, words // classes, 12) * classes + kinds[paper]] = True
        content.append("\t".join([str(paper), *("1" if word else "0" for word in row), names[kinds[paper]]]))
        for _ in range(3):
            same = numpy.flatnonzero(kinds == kinds[paper])
            other = int(draw.choice(same)) if draw.random() < 0.8 else int(draw.integers(0, nodes))
            cites.append(f"{other}\t{paper}")
    return "\n".join(content) + "\n", "\n".join(cites) + "\n"


class Response:
    status_code = 200
    ok = True

    def __init__(self):
        self.raw = io.BytesIO()
        with tarfile.open(fileobj=self.raw, mode="w:gz") as archive:
            for name, text in zip(("cora/cora.content", "cora/cora.cites"), _graph()):
                data = text.encode()
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        self.raw.seek(0)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None


def get(*args, **kwargs):
    return Response()
