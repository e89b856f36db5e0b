-- The ten best of each community; every qualified movie is in the view.
select
    source,
    tmdb_id,
    title,
    year,
    votes,
    mean,
    weighted
from marts.highest_rated
where rank <= 10
order by source, rank
