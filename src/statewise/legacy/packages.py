"""What old scripts import apart from Keras: names that have moved since, and how to install packages."""

from __future__ import annotations

import shlex
import sys

_MOVED = {
    "sklearn.cross_validation": "from sklearn.model_selection import ...",
    "sklearn.grid_search": "from sklearn.model_selection import ...",
    "sklearn.learning_curve": "from sklearn.model_selection import ...",
    "sklearn.externals.joblib": "import joblib",
    "sklearn.externals.six": "import six",
    "sklearn.preprocessing.Imputer": "from sklearn.impute import SimpleImputer",
    "sklearn.datasets.fetch_mldata": "from sklearn.datasets import fetch_openml",
    "pandas.datetime": "from datetime import datetime",
    "pandas.tools.plotting": "from pandas.plotting import ...",
    "pandas.scatter_matrix": "from pandas.plotting import scatter_matrix",
    "pandas.TimeGrouper": "pandas.Grouper(freq=...)",
    "pandas.rolling_mean": "series.rolling(window).mean()",
    "pandas.rolling_std": "series.rolling(window).std()",
    "pandas.io.data": "import pandas_datareader",
    "statsmodels.tsa.arima_model": "from statsmodels.tsa.arima.model import ARIMA",
    "scipy.misc.imread": "from imageio.v3 import imread",
    "scipy.misc.imsave": "from imageio.v3 import imwrite",
    "scipy.misc.imresize": "PIL.Image.fromarray(image).resize(size)",
    "scipy.interp": "from numpy import interp",
    "matplotlib.finance": "import mplfinance",
    "time.clock": "time.perf_counter()",
    "itertools.izip": "zip",
    "itertools.imap": "map",
    "itertools.ifilter": "filter",
    "string.letters": "string.ascii_letters",
    "string.lowercase": "string.ascii_lowercase",
    "string.uppercase": "string.ascii_uppercase",
    "string.maketrans": "str.maketrans",
    "sys.maxint": "sys.maxsize",
    "urllib.urlopen": "from urllib.request import urlopen",
    "urllib.urlretrieve": "from urllib.request import urlretrieve",
    "urllib.urlencode": "from urllib.parse import urlencode",
    "urllib2": "import urllib.request",
    "cPickle": "import pickle",
    "StringIO": "from io import StringIO",
    "cStringIO": "from io import StringIO",
    "ConfigParser": "import configparser",
    "Queue": "import queue",
    "Tkinter": "import tkinter",
    "collections.Iterable": "from collections.abc import Iterable",
    "collections.Mapping": "from collections.abc import Mapping",
    "collections.Sequence": "from collections.abc import Sequence",
}
_INSTALLED_AS = {
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "mpl_toolkits": "matplotlib",
    "pandas_datareader": "pandas-datareader",
}


def moved(name: str) -> str | None:
    """Returns the message for a dotted name that has moved; None for any other.

    >>> moved("sklearn.cross_validation.train_test_split")
    'sklearn.cross_validation has moved since; write from sklearn.model_selection import ...'
    """
    while name:
        if name in _MOVED:
            return f"{name} has moved since; write {_MOVED[name]}"
        name = name.rpartition(".")[0]
    return None


def not_installed(name: str) -> str:
    """Returns the message for a package that is not installed.

    >>> not_installed("sklearn.metrics")  # doctest: +ELLIPSIS
    'the package sklearn is not installed: ...python... -m pip install scikit-learn'
    """
    package = name.partition(".")[0]
    python = shlex.quote(sys.executable or "python")  # whose packages the script sees
    return f"the package {package} is not installed: {python} -m pip install {_INSTALLED_AS.get(package, package)}"
