"""The page /metrics, read."""
import re

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """Samples of one moment."""

    def __init__(self, text):
        self.samples = []
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            match = _LINE.match(line)
            assert match, f"no line of Prometheus' format: {line!r}"
            self.samples.append((match.group(1), dict(_LABEL.findall(match.group(2) or "")), float(match.group(3))))

    def find(self, name, **labels):
        """The samples of that name that have these labels: [(labels, value)]."""
        return [(own, value) for sample, own, value in self.samples
                if sample == name and all(own.get(key) == wanted for key, wanted in labels.items())]

    def sum(self, name, **labels):
        """Their sum; 0 when there are none."""
        return sum(value for _, value in self.find(name, **labels))

    def names(self):
        return {name for name, _, _ in self.samples}
