"""Shape checks for every test: the annotations of tensor functions are enforced while the tests run.

The hook must be in place before anything imports paribus.nn, hence here and at the top.
"""

from jaxtyping import install_import_hook

install_import_hook(["paribus.nn"], "beartype.beartype")
