"""Growth patterns as readers see them: reviews, samples, agreement with what is measured."""
