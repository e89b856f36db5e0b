-- The four answers straight from an edition's files, in DuckDB: no lake, no lineage, no tests, one process. $edition is
-- the directory. Ratings are taken to be unique, as generated ones are; a table for each answer stays.
create temp table movie as
select
    try_cast(id as integer) as tmdb_id,
    title,
    try_cast(release_date as date) as release_date,
    try_cast(revenue as bigint) as revenue,
    try_cast(vote_average as double) as mean,
    try_cast(vote_count as bigint) as votes,
    regexp_extract_all(genres, '''name'': [''"]([^''"]+)[''"]', 1) as genres
from read_csv(getvariable('movies_file'), header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', strict_mode = false, null_padding = true, parallel = false)
where try_cast(id as integer) is not null and try_cast(vote_count as bigint) is not null
qualify row_number() over (partition by try_cast(id as integer) order by try_cast(vote_count as bigint) desc) = 1;

create temp table link as
select movieId as movie_id, tmdbId as tmdb_id
from read_csv(getvariable('links_file'), header = true)
where tmdbId in (select tmdb_id from movie);

create temp table rating as
select r.userId as user_id, link.tmdb_id, r.rating
from
    read_csv(
        getvariable('ratings_file'),
        header = true,
        columns = { 'userId': 'integer', 'movieId': 'integer', 'rating': 'decimal(2,1)', 'timestamp': 'bigint' }
    ) as r
inner join link on r.movieId = link.movie_id;

create temp table cpi as
select columns(*)
from (
    select date_trunc('month', observation_date)::date as month, CPIAUCSL as value
    from read_csv(getvariable('cpi_file'), header = true, columns = { 'observation_date': 'date', 'CPIAUCSL': 'decimal(12,3)' })
)
where value is not null;

create temp table highest_rated as
with scored as (
    select 'tmdb' as source, tmdb_id, votes, mean from movie
    union all
    select 'movielens' as source, tmdb_id, count(*) as votes, avg(rating) as mean from rating group by tmdb_id
),

parameters as (
    select source, avg(mean) as c, quantile_cont(votes, 0.95) as m from scored group by source
)

select source, tmdb_id, (votes * mean + m * c) / (votes + m) as weighted
from scored
inner join parameters using (source)
where votes >= m and mean is not null
qualify row_number() over (partition by source order by weighted desc, votes desc, tmdb_id) <= 10;

create temp table movie_genre as
select distinct tmdb_id, unnest(genres) as genre from movie;

create temp table popular_genres as
select genre, count(*) as ratings, count(distinct user_id) as users
from rating
inner join movie_genre using (tmdb_id)
group by genre;

create temp table earning as
select
    tmdb_id,
    release_date,
    revenue,
    revenue * (select arg_max(value, month) from cpi)::double / cpi.value::double as revenue_real
from movie
left join cpi on date_trunc('month', release_date)::date = cpi.month
where revenue > 0;

create temp table release_timing as
select
    month(release_date) as month,
    count(*) as movies,
    avg(revenue) as mean_revenue,
    median(revenue) as median_revenue,
    avg(revenue_real) as mean_revenue_real,
    median(revenue_real) as median_revenue_real
from earning
where release_date is not null
group by all;

create temp table genre_revenue as
select genre, count(*) as movies, sum(revenue_real) as revenue_real
from earning
inner join movie_genre using (tmdb_id)
group by genre;
