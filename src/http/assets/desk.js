<!-- to come -->
