"""Write `word_vectors.txt`, `.bin` and `.json`: the same few vectors as gensim writes them, and as lists.

Run it with gensim 4.4, which the project itself does not need: `python tests/golden/make_word_vectors.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import gensim  # type: ignore[import-not-found]
import numpy as np

HERE = Path(__file__).parent
WORDS = ["the", "mice", "don't", ",", "naïve", "老鼠", "🐭", "3.5"]


def vectors() -> np.ndarray:
    """Return a vector for each word, with numbers of all sizes, round ones among them."""
    rng = np.random.default_rng(29)
    array = (rng.normal(size=(len(WORDS), 4)) * 10.0 ** rng.integers(-9, 4, (len(WORDS), 1))).astype(np.float32)
    array[2] = [0.0, -1.0, 0.5, 1e-30]
    return array


if __name__ == "__main__":
    keyed, array = gensim.models.KeyedVectors(vector_size=4), vectors()
    keyed.add_vectors(WORDS, array)
    keyed.save_word2vec_format(HERE / "word_vectors.txt", binary=False)
    keyed.save_word2vec_format(HERE / "word_vectors.bin", binary=True)
    golden = {
        "made_by": f"make_word_vectors.py, gensim {gensim.__version__}",
        "words": keyed.index_to_key,
        "vectors": array.tolist(),
    }
    text = json.dumps(golden, indent=1, ensure_ascii=False) + "\n"
    (HERE / "word_vectors.json").write_text(text, encoding="utf-8")
    print(f"wrote {HERE / 'word_vectors'}.txt, .bin and .json")
