"""Columns of the log of predictions that are ours: they begin with an underscore and a word, so no input has them."""

REQUEST, ROW, AT, VERSION, DIGEST = "_request_id", "_row", "_at", "_version", "_artifact_digest"
PREDICTED, PROBABILITY = "_predict", "_proba_"
