"""The one place that knows every part: load, fetch, plan, apply, verify. Commands call it; nothing calls back up.

    manifests --load--> Desired --+
                                  +--plan--> Plan --render--> text, JSON
    providers --fetch-> Live -----+            |
                                               +--apply--> events --fold--> Report

``planning`` makes and seals plans, ``applying`` runs them.
"""
