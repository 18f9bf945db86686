"""Engines that are killed, that find the disk full or broken, and whose journal a power cut shortened.

Each run is led to its end by real engine processes, real tools and a model over HTTP, and is compared with a run that
nobody disturbed: the same scores and the same best iteration, no reply paid for twice, nothing left behind.
"""
