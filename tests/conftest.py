"""Shape checks for every test: the annotations of tensor functions are enforced while the tests run.

The hook must be in place before anything imports paribus.nn, hence here and at the top. An int may stand for a float.
"""

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook(["paribus.nn"], "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

settings.register_profile("paribus", deadline=None, derandomize=True)  # a timing is never a test; a red test repeats
settings.load_profile("paribus")
