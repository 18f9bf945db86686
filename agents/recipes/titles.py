"""Names of representations and model families as a person reads them."""

from typing import Final

REPRESENTATIONS: Final = {
    "standardised": "standardised columns",
    "normal_scores": "normal scores",
    "raw_values": "raw columns",
    "expression_values": "expression values",
    "selected_columns": "selected columns",
    "principal_components": "principal components",
    "sample_ranks": "ranks within a sample",
    "composition": "composition",
    "kmers": "k-mers",
    "kmer_counts": "k-mer counts",
    "gapped_kmers": "gapped k-mers",
    "physicochemical": "physico-chemical scales",
    "positions": "positions",
    "combined": "combined sequence features",
    "pairing": "base pairing",
    "pairing_kmers": "base pairing and k-mers",
}

FAMILIES: Final = {
    "logistic": "logistic regression",
    "ridge": "ridge regression",
    "elastic_net": "elastic net",
    "pls": "partial least squares",
    "svm": "RBF support vectors",
    "linear_svm": "linear support vectors",
    "hist_gradient_boosting": "gradient boosting",
    "extra_trees": "extra trees",
    "random_forest": "random forest",
    "knn": "nearest neighbours",
    "naive_bayes": "naive Bayes",
    "centroids": "shrunken centroids",
    "mlp": "neural network",
}
