"""The embedded servers of one installation, and the supervisor that keeps them running.

Owns what lies under the home (``.entrepot/``): a folder and a log per engine, the ports and passwords chosen for them, and
``engines.json`` with their URLs. Knows no business word, and never touches a server that the environment gives by URL.

``control`` is the door: ``start``, ``stop``, ``status``. Behind it: ``supervisor`` (one detached process per home), ``state``
(the files it reports in), ``process`` (one engine's life), ``ping`` (a real question to any engine), and a file per product.
"""
