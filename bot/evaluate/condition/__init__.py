"""The condition language of ease.ml/ci (Renggli et al., MLSys 2019): `n - o > 0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01`."""
