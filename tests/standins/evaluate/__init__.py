"""Stands in for evaluate: the share of right answers, whatever metric is asked for."""


class _Metric:
    def __init__(self):
        self.right = self.seen = 0

    def add_batch(self, predictions, references):
        for one, other in zip(predictions, references):
            self.right += int((one == other).all()) if hasattr(one == other, "all") else int(one == other)
            self.seen += 1

    def compute(self, predictions=None, references=None, **_):
        if predictions is not None:
            self.add_batch(predictions, references)
        share = self.right / max(self.seen, 1)
        self.right = self.seen = 0
        return {"accuracy": share, "f1": share}


def load(*args, **kwargs):
    return _Metric()
