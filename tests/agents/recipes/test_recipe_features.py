"""Features have the values that a hand computes, the same shape for any input, and learn from train alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recipes.sources.blocks import Block, Features
from agents.recipes.sources.features_expression import ExpressionFeatures
from agents.recipes.sources.features_pair import PairingFeatures
from agents.recipes.sources.features_sequence import RESIDUE_CLASSES, SequenceFeatures
from agents.recipes.sources.features_table import TableFeatures
from agents.recipes.sources.protein_scales import SCALES, hydrophobic_moment, isoelectric_point
from agents.recipes.sources.sequence_codes import LETTERS, clean, encode, word_counts

PARTS = ["composition", "kmers", "gapped", "physicochemical", "positions"]
GUIDE = "TGAGGTAGTAGGTTGTATAGTT"  # let-7a-5p
SITE = "AACTATACAACCTACTACCTCA"  # its reverse complement


def of(block: Block, frame: pd.DataFrame, name: str) -> list[float]:
    """The feature ``name`` of each row."""
    return [float(value) for value in block.transform(frame)[:, block.names.index(name)]]


def fitted(block: Block, frame: pd.DataFrame) -> Block:
    block.fit(frame)
    return block


def sequences(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"s": list(texts)})


def pairs(guide: str, *targets: str) -> pd.DataFrame:
    return pd.DataFrame({"guide": [guide] * len(targets), "target": list(targets)})


class TestTable:
    train = pd.DataFrame({"x": [1.0, 3.0, np.nan, 8.0], "same": [2.0] * 4, "c": ["a", "b", "a", np.nan]})

    def test_missing_numbers_become_the_median_of_train_and_are_flagged(self) -> None:
        block = fitted(TableFeatures(["x", "same"], ["c"]), self.train)
        assert of(block, self.train, "x") == [1, 3, 3, 8]
        assert of(block, self.train, "x is missing") == [0, 0, 1, 0]
        assert "same" not in block.names

    def test_missing_numbers_stay_where_trees_want_them(self) -> None:
        block = fitted(TableFeatures(["x"], [], impute=False), self.train)
        assert np.isnan(of(block, self.train, "x")[2])

    def test_an_unseen_category_has_zeros_everywhere(self) -> None:
        block = fitted(TableFeatures([], ["c"]), self.train)
        assert block.names == ["c = a", "c = ", "c = b"]
        unseen = pd.DataFrame({"c": ["z", "b"]})
        assert block.transform(unseen).tolist() == [[0, 0, 0], [0, 0, 1]]

    def test_a_table_where_nothing_varies_still_has_a_column(self) -> None:
        frame = pd.DataFrame({"x": [1.0, 1.0]})
        spec = {"block": "TableFeatures", "options": {"numeric": ["x"], "categorical": []}}
        assert Features([spec]).fit(frame).transform(frame).shape == (2, 1)


class TestExpression:
    def test_a_skewed_scale_becomes_logarithmic_and_a_log_scale_stays(self) -> None:
        values = np.array([[0.0, 10.0], [5.0, 99_999.0], [3.0, 20.0]])
        raw = pd.DataFrame(values, columns=["a", "b"])
        assert np.allclose(fitted(ExpressionFeatures(["a", "b"]), raw).transform(raw), np.log1p(values))
        logged = np.log1p(raw)
        assert np.allclose(fitted(ExpressionFeatures(["a", "b"]), logged).transform(logged), logged)

    def test_ranks_do_not_depend_on_the_scale_of_a_sample(self) -> None:
        frame = pd.DataFrame([[1.0, 2.0, 3.0], [6.0, 4.0, 5.0]], columns=list("abc"))
        block = fitted(ExpressionFeatures(list("abc"), ranks=True), frame)
        assert block.transform(frame).tolist() == [[0, 0.5, 1], [1, 0, 0.5]]
        assert block.transform(frame * 7 + 2).tolist() == block.transform(frame).tolist()

    def test_constant_and_empty_columns_are_left_out(self) -> None:
        frame = pd.DataFrame({"a": [1.0, 2.0], "b": [4.0, 4.0], "c": [np.nan, np.nan]})
        assert fitted(ExpressionFeatures(["a", "b", "c"]), frame).names == ["a"]


class TestSequence:
    def test_letters_are_read_alike_and_gaps_dropped(self) -> None:
        assert clean("acgu-U* n1", "rna") == "ACGTTN"
        assert clean("mkU", "protein") == "MKC"
        assert clean(None, "dna") == ""

    def test_words_are_counted_where_all_their_letters_are_known(self) -> None:
        codes, lengths = encode(["AACA", "ANA", ""], "dna")
        assert lengths.tolist() == [4, 3, 0]
        counts = word_counts(codes, 4, (0, 1))
        assert counts[0, :2].tolist() == [1, 1]  # AA, AC
        assert counts[0, 4] == 1  # CA
        assert counts[1:].sum() == 0
        assert word_counts(codes, 4, (0, 2))[:, 0].tolist() == [1, 1, 0]  # A.A

    def test_nucleic_composition(self) -> None:
        frame = sequences("GGGCAAAT", "CGCG", "")
        block = fitted(SequenceFeatures("s", "dna", ["composition"]), frame)
        assert of(block, frame, "GC content") == [0.5, 1, 0]
        assert of(block, frame, "GC skew") == [0.5, 0, 0]
        assert of(block, frame, "AT skew") == [0.5, 0, 0]
        assert of(block, frame, "CpG") == [0, 2 * 4 / 4, 0]
        assert of(block, frame, "length") == [8, 4, 0]

    def test_kmer_shares_and_counts(self) -> None:
        frame = sequences("ACAC", "AC")
        shares = fitted(SequenceFeatures("s", "dna", ["kmers"], k=2), frame)
        counts = fitted(SequenceFeatures("s", "dna", ["kmers"], k=2, counts=True), frame)
        assert of(shares, frame, "k-mer AC") == pytest.approx([2 / 3, 1])
        assert of(counts, frame, "k-mer AC") == [2, 1]

    def test_gapped_words_of_proteins_are_of_residue_classes(self) -> None:
        frame = sequences("KAR")
        block = fitted(SequenceFeatures("s", "protein", ["gapped"]), frame)
        assert of(block, frame, "class K.K") == [1]
        assert sorted("".join(RESIDUE_CLASSES["protein"])) == list(LETTERS["protein"])

    def test_positions_of_equally_long_sequences_are_whole_and_of_others_both_ends(self) -> None:
        same = fitted(SequenceFeatures("s", "dna", ["positions"]), sequences("ACGT", "TTTT"))
        assert len(same.names) == 16
        assert of(same, sequences("ACGT"), "place 2 is C") == [1]
        ends = fitted(SequenceFeatures("s", "dna", ["positions"], window=2), sequences("ACGT", "TTTTT"))
        assert len(ends.names) == 16
        assert of(ends, sequences("ACGTC"), "from end 1 is C") == [1]

    def test_physico_chemical_values_of_a_known_peptide(self) -> None:
        frame = sequences("GIGKFLHSAKKFGKAFVGEIMNS")  # magainin 2: net charge +3, +0.1 for its histidine
        block = fitted(SequenceFeatures("s", "protein", ["physicochemical"]), frame)
        assert of(block, frame, "net charge") == pytest.approx([3.1])
        assert of(block, frame, "hydropathy mean")[0] == pytest.approx(0.083, abs=0.001)
        assert of(block, frame, "isoelectric point")[0] > 9.5
        assert of(block, frame, "moment 100 degrees over 11")[0] > of(block, frame, "moment 160 degrees over 11")[0]

    def test_the_isoelectric_point_of_glycine_lies_between_its_two_groups(self) -> None:
        counts = np.zeros((1, 20))
        counts[0, LETTERS["protein"].index("G")] = 1
        assert isoelectric_point(counts, LETTERS["protein"])[0] == pytest.approx((8.6 + 3.6) / 2, abs=0.01)

    def test_the_moment_of_a_residue_alone_is_its_hydrophobicity_and_opposite_ones_cancel(self) -> None:
        known = np.ones((1, 1), dtype=bool)
        assert hydrophobic_moment(np.array([[0.7]]), known, 11, 100.0) == pytest.approx([0.7])
        two = hydrophobic_moment(np.array([[1.0, 1.0]]), np.ones((1, 2), dtype=bool), 11, 180.0)
        assert two == pytest.approx([0.0])

    def test_scales_have_a_value_for_each_residue(self) -> None:
        assert {len(scale) for scale in SCALES.values()} == {20}
        assert SCALES["hydropathy"][LETTERS["protein"].index("I")] == max(SCALES["hydropathy"])
        assert SCALES["volume"][LETTERS["protein"].index("G")] == min(SCALES["volume"])

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.sampled_from(["dna", "rna", "protein"]))
    def test_any_text_gives_finite_features_of_one_shape(self, texts: list[str], alphabet: str) -> None:
        parts = PARTS if alphabet == "protein" else [part for part in PARTS if part != "physicochemical"]
        block = fitted(SequenceFeatures("s", alphabet, parts), sequences("ACDEFGHIKL", "ACGTT"))
        values = block.transform(sequences(*texts))
        assert values.shape == (len(texts), len(block.names))
        assert np.isfinite(values).all()

    def test_a_row_does_not_depend_on_the_rows_beside_it(self) -> None:
        block = fitted(SequenceFeatures("s", "protein", PARTS), sequences("ACDEFGHIKL", "AC"))
        together = block.transform(sequences("GIGKFLHSAKKFGKAFVGEIMNS", "AK", "MKKLLPT" * 20))
        assert np.allclose(block.transform(sequences("AK"))[0], together[1])


class TestPairing:
    def test_a_perfect_duplex_is_an_8mer_with_every_letter_paired(self) -> None:
        frame = pairs(GUIDE, "GGG" + SITE + "GGGG")
        block = fitted(PairingFeatures(["target", "guide"]), frame)
        assert of(block, frame, "seed: 8mer sites") == [1]
        assert of(block, frame, "best register: Watson-Crick") == [len(GUIDE)]
        assert of(block, frame, "longest helix: Watson-Crick") == [len(GUIDE)]
        assert of(block, frame, "alignment (whole): score") == [4 * len(GUIDE)]
        assert of(block, frame, "seed: place") == [3 + len(SITE) - 1]  # where guide letter 1 pairs, from 5'
        assert of(block, frame, "pair 1 at best seed") == [2]

    def test_seed_classes(self) -> None:
        flank = "G" * 20
        targets = [flank + site + flank for site in ("CTACCTCA", "CTACCTCG", "GTACCTCA", "GTACCTCG", "GGGGGGGG")]
        frame = pairs(GUIDE, *targets)
        block = fitted(PairingFeatures(["guide", "target"]), frame)
        assert of(block, frame, "seed: 8mer sites") == [1, 0, 0, 0, 0]
        assert of(block, frame, "seed: 7mer-m8 sites") == [1, 1, 0, 0, 0]
        assert of(block, frame, "seed: 7mer-A1 sites") == [1, 0, 1, 0, 0]
        assert of(block, frame, "seed: 6mer sites") == [1, 1, 1, 1, 0]
        assert of(block, frame, "seed: class") == [4, 3, 2, 1, 0]

    def test_a_wobble_is_a_weaker_pair(self) -> None:
        flank = "A" * 20
        frame = pairs(GUIDE, flank + "CTACCTCA" + flank, flank + "CTATCTCA" + flank)  # G pairs with T
        block = fitted(PairingFeatures(["guide", "target"]), frame)
        assert of(block, frame, "seed: with wobbles") == [1, 1]
        assert of(block, frame, "best pairing of 1 to 8") == [8 * 4, 7 * 4 + 1]

    def test_a_bulge_costs_a_gap(self) -> None:
        frame = pairs(GUIDE, SITE[:11] + "G" + SITE[11:], SITE)
        block = fitted(PairingFeatures(["guide", "target"]), frame)
        bulged, straight = of(block, frame, "alignment (whole): score")
        assert bulged == straight - 6

    def test_the_flank_downstream_lies_3_prime_of_the_site(self) -> None:
        frame = pairs(GUIDE, "G" * 20 + "CTACCTCA" + "A" * 20, "A" * 20 + "CTACCTCA" + "G" * 20)
        block = fitted(PairingFeatures(["guide", "target"]), frame)
        assert of(block, frame, "seed: AU downstream") == pytest.approx([1, 0])
        assert of(block, frame, "seed: AU upstream") == pytest.approx([0, 1])

    def test_rna_and_lower_case_read_like_dna(self) -> None:
        block = fitted(PairingFeatures(["guide", "target"]), pairs(GUIDE, "GGG" + SITE))
        as_rna = pairs(GUIDE.replace("T", "U").lower(), ("GGG" + SITE).replace("T", "U"))
        assert np.array_equal(block.transform(as_rna), block.transform(pairs(GUIDE, "GGG" + SITE)))

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=60), st.text("ACGTUNacgu-*", max_size=80))
    def test_any_texts_give_finite_features_of_one_shape(self, guide: str, target: str) -> None:
        block = fitted(PairingFeatures(["guide", "target"]), pairs(GUIDE, "GGG" + SITE + "A"))
        values = block.transform(pairs(guide, target, ""))
        assert values.shape == (2, len(block.names))
        assert np.isfinite(values).all()
