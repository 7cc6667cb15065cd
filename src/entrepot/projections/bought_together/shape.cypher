// Purchases, not pairs: a basket of n products has n edges where pairs would be n * n / 2.
(:Basket)-[:HAS]->(:Product)
