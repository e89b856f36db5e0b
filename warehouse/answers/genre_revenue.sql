select
    genre,
    movies,
    revenue,
    median_revenue,
    not_adjustable,
    revenue_real,
    median_revenue_real
from marts.genre_revenue
order by rank
