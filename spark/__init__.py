"""Bronze to silver to gold on Spark: pure DataFrame functions, and two jobs that apply them."""
