"""Names that numpy had before its version 2, for programs of that time."""

import numpy

numpy.Inf = numpy.inf
