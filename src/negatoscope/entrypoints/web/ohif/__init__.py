"""OHIF, hosted at ``/ohif``: somebody else's viewer on our DICOMweb, in our session.

It is fetched, not shipped, and nothing needs it: `installer` brings the published build of one
exact version and makes it live under a path, `installation` says what lies where, `configuration`
writes ``app-config.js`` for whoever is signed in, `site` answers the requests.
"""
