select
    genre,
    ratings,
    users,
    mean_rating,
    movies,
    tmdb_votes
from marts.popular_genres
order by rank
