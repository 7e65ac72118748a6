"""Grading a typed answer: which key points it covers, misses or contradicts, and by which clause.

Works on words alone; with a sentence encoder (`encoder.load_encoder`) it also knows paraphrases.
"""
