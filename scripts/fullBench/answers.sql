-- The four answers straight from an edition's files, in DuckDB: no lake, no lineage, no tests, one process. The variables
-- movies_file, links_file, ratings_file and cpi_file are their paths; there stays a temporary table for each query of
-- warehouse/answers, with its columns. Only the probabilities of the tests are left out, for which DuckDB has no function.
--
-- The rules are those of contracts and of silver: what breaks its contract is left out, and of repeated records the same
-- one stays. The cells of ratings are read by DuckDB's own casts, which let more pass (12.0 for 12); an escape in the name
-- of a genre is not known, nor the old name of FRED's first column.

create temp macro filled(cell) as nullif(trim(cell), '');

create temp macro is_id(cell) as
    regexp_full_match(filled(cell), '[0-9]{1,10}') and try_cast(filled(cell) as bigint) between 1 and 2147483647;

create temp macro is_number(cell) as
    filled(cell) is null
    or regexp_full_match(filled(cell), '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?');

create temp macro is_within(cell, least, most) as
    filled(cell) is null
    or is_number(cell) and try_cast(filled(cell) as double) between least and most;

create temp macro to_day(cell) as
    case
        when regexp_full_match(filled(cell), '[0-9]{4}-[0-9]{2}-[0-9]{2}') then try_cast(filled(cell) as date)
        when regexp_full_match(filled(cell), '[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}')
            then try_strptime(filled(cell), '%m/%d/%Y')::date
    end;

create temp macro genre_pattern() as
    '\{\s*[''"]id[''"]\s*:\s*([0-9]{1,9})\s*,\s*[''"]name[''"]\s*:\s*(?:''([^''\\]*)''|"([^"\\]*)")\s*\}';

create temp macro is_genre_list(cell) as
    filled(cell) is null
    or regexp_full_match(
        filled(cell), concat('\[\s*(', genre_pattern(), '(\s*,\s*', genre_pattern(), ')*)?\s*\]')
    );

-- A table has its rows in the order of the file: `rowid` tells which of two came later.
create temp macro records_of(file) as table
    select *
    from
        read_csv(
            file,
            header = true,
            all_varchar = true,
            delim = ',',
            quote = '"',
            escape = '"',
            ignore_errors = true,
            parallel = false
        );

create temp table movie_record as
select * from records_of(getvariable('movies_file'));

create temp table movie as
select
    filled(id)::integer as tmdb_id,
    title,
    to_day(release_date) as release_date,
    try_cast(round(filled(revenue)::double) as decimal(14, 0))::bigint as revenue,
    filled(vote_average)::double::decimal(6, 3) as vote_average,
    round(filled(vote_count)::double)::bigint as vote_count,
    filled(genres) as genres
from movie_record
where
    is_id(id)
    and is_number(budget)
    and is_number(popularity)
    and is_number(revenue)
    and is_number(runtime)
    and is_within(vote_average, 0, 10)
    and is_within(vote_count, 0, 'infinity'::double)
    and (filled(release_date) is null or to_day(release_date) is not null)
    and is_genre_list(genres)
    and not contains(coalesce(columns(*), ''), chr(0))
qualify
    row_number() over (
        partition by filled(id)::integer
        order by filled(vote_count)::double desc nulls last, rowid desc
    ) = 1;

create temp table movie_genre as
with entries as (
    select
        tmdb_id,
        unnest(regexp_extract_all(genres, genre_pattern())) as entry
    from movie
)

select distinct
    tmdb_id,
    regexp_extract(entry, genre_pattern(), 1)::integer as genre_id,
    concat(regexp_extract(entry, genre_pattern(), 2), regexp_extract(entry, genre_pattern(), 3)) as name
from entries;

create temp table genre as
select
    genre_id,
    min(name) as name
from movie_genre
group by genre_id;

create temp table link_record as
select * from records_of(getvariable('links_file'));

create temp table link as
with latest as (
    select
        filled(movieId)::integer as movie_id,
        filled(tmdbId)::integer as tmdb_id
    from link_record
    where
        is_id(movieId)
        and (filled(tmdbId) is null or is_id(tmdbId))
        and not contains(coalesce(imdbId, ''), chr(0))
    qualify row_number() over (partition by filled(movieId)::integer order by rowid desc) = 1
)

select
    latest.movie_id,
    latest.tmdb_id
from latest
semi join movie on latest.tmdb_id = movie.tmdb_id;

create temp table rating_record as
select
    userId as user_id,
    movieId as movie_id,
    rating::decimal(2, 1) as rating,
    timestamp
from
    read_csv(
        getvariable('ratings_file'),
        header = true,
        types = { 'userId': 'integer', 'movieId': 'integer', 'rating': 'double', 'timestamp': 'bigint' },
        delim = ',',
        quote = '"',
        escape = '"',
        ignore_errors = true
    )
where
    userId > 0
    and movieId > 0
    and rating between 0.5 and 5
    and (timestamp is null or timestamp between 0 and 253402300799);

create temp table rating as
with newest as (
    select
        user_id,
        movie_id,
        rating
    from rating_record
    qualify
        row_number() over (
            partition by user_id, movie_id
            order by timestamp desc nulls last, rowid desc
        ) = 1
)

select
    newest.user_id,
    link.tmdb_id,
    newest.rating
from newest
inner join link on newest.movie_id = link.movie_id;

create temp table cpi_record as
select * from records_of(getvariable('cpi_file'));

create temp table cpi as
with observations as (
    select
        rowid as place,
        date_trunc('month', to_day(observation_date))::date as month,
        nullif(filled(CPIAUCSL), '.') as value
    from cpi_record
),

months as (
    select
        month,
        try_cast(value::double as decimal(12, 3)) as value
    from observations
    where month is not null and is_number(value)
    qualify row_number() over (partition by month order by place desc) = 1
)

select
    month,
    value
from months
where value > 0;

create temp table run_summary as
select strftime(max(month), '%Y-%m') as base_month
from cpi;

-- Real revenue is revenue x base / value, rounded half up once to 8 places, in whole numbers: DuckDB divides decimals as
-- doubles. The thousandths of both values cancel out.
create temp table earning as
with base as (
    select arg_max(value, month) as value
    from cpi
),

adjusted as (
    select
        movie.tmdb_id,
        movie.release_date,
        movie.revenue,
        movie.revenue::hugeint * 100000000 * (base.value * 1000)::hugeint as inflated,
        (cpi.value * 1000)::hugeint as value
    from movie
    cross join base
    left join cpi on date_trunc('month', movie.release_date)::date = cpi.month
    where movie.revenue > 0
)

select
    tmdb_id,
    release_date,
    revenue,
    ((2 * inflated + value) // (2 * value))::decimal(30, 0) * 0.00000001::decimal(8, 8) as revenue_real
from adjusted;

create temp table rated_movie as
select
    'tmdb' as source,
    tmdb_id,
    vote_count as votes,
    vote_average::double as mean
from movie
union all
select
    'movielens' as source,
    tmdb_id,
    count(*) as votes,
    sum(rating)::double / count(*) as mean
from rating
group by tmdb_id;

create temp table highest_rated_parameters as
with parameters as (
    select
        source,
        avg(mean) as c,
        quantile_cont(votes::double, 0.95) as m
    from rated_movie
    group by source
)

select
    parameters.source,
    parameters.c,
    parameters.m,
    count(rated_movie.mean) as qualified
from parameters
left join rated_movie
    on
        parameters.source = rated_movie.source
        and rated_movie.votes >= parameters.m
        and rated_movie.votes > 0
group by parameters.source, parameters.c, parameters.m;

create temp table highest_rated as
select
    rated_movie.source,
    rated_movie.tmdb_id,
    movie.title,
    year(movie.release_date) as year,
    rated_movie.votes,
    rated_movie.mean,
    (rated_movie.votes * rated_movie.mean + parameters.m * parameters.c) / (rated_movie.votes + parameters.m) as weighted
from rated_movie
inner join highest_rated_parameters as parameters on rated_movie.source = parameters.source
inner join movie on rated_movie.tmdb_id = movie.tmdb_id
where
    rated_movie.mean is not null
    and rated_movie.votes >= parameters.m
    and rated_movie.votes > 0
qualify
    row_number() over (
        partition by rated_movie.source
        order by weighted desc, rated_movie.votes desc, rated_movie.tmdb_id asc
    ) <= 10
order by rated_movie.source, weighted desc, rated_movie.votes desc, rated_movie.tmdb_id asc;

create temp table genre_votes as
select
    movie_genre.genre_id,
    count(*) as movies,
    coalesce(sum(movie.vote_count), 0) as tmdb_votes
from movie_genre
inner join movie on movie_genre.tmdb_id = movie.tmdb_id
group by movie_genre.genre_id;

create temp table popular_genres as
with rated as (
    select
        movie_genre.genre_id,
        count(*) as ratings,
        count(distinct rating.user_id) as users,
        sum(rating.rating)::double as rating_sum
    from rating
    inner join movie_genre on rating.tmdb_id = movie_genre.tmdb_id
    group by movie_genre.genre_id
)

select
    genre.name as genre,
    coalesce(rated.ratings, 0) as ratings,
    coalesce(rated.users, 0) as users,
    rated.rating_sum / rated.ratings as mean_rating,
    genre_votes.movies,
    genre_votes.tmdb_votes
from genre
inner join genre_votes on genre.genre_id = genre_votes.genre_id
left join rated on genre.genre_id = rated.genre_id
order by ratings desc, genre_votes.tmdb_votes desc, genre.name asc;

create temp table genre_revenue as
with earned as (
    select
        movie_genre.genre_id,
        count(*) as movies,
        sum(earning.revenue) as revenue,
        median(earning.revenue) as median_revenue,
        count(*) - count(earning.revenue_real) as not_adjustable,
        sum(earning.revenue_real) as revenue_real,
        median(earning.revenue_real::double) as median_revenue_real
    from earning
    inner join movie_genre on earning.tmdb_id = movie_genre.tmdb_id
    group by movie_genre.genre_id
)

select
    genre.name as genre,
    earned.movies,
    earned.revenue,
    earned.median_revenue,
    earned.not_adjustable,
    earned.revenue_real,
    earned.median_revenue_real
from earned
inner join genre on earned.genre_id = genre.genre_id
inner join genre_votes on earned.genre_id = genre_votes.genre_id
order by coalesce(earned.revenue_real, 0) desc, genre_votes.tmdb_votes desc, genre.name asc;

-- Once for each kind of period that a movie was released in.
create temp table released as
select
    tmdb_id,
    revenue,
    revenue_real,
    'month' as period_type,
    month(release_date) as period
from earning
where release_date is not null
union all
select
    tmdb_id,
    revenue,
    revenue_real,
    'quarter' as period_type,
    quarter(release_date) as period
from earning
where release_date is not null;

create temp table release_timing as
select
    period_type,
    period,
    count(*) as movies,
    sum(revenue)::double / count(*) as mean_revenue,
    median(revenue) as median_revenue,
    count(revenue_real) as adjustable,
    sum(revenue_real)::double / count(revenue_real) as mean_revenue_real,
    median(revenue_real::double) as median_revenue_real
from released
group by period_type, period
order by period_type, period;

-- Kruskal-Wallis, corrected for ties. Twice the rank of a movie among all, and its share of the ties, are whole numbers.
create temp table release_timing_test as
with ranked as (
    select
        period_type,
        period,
        2 * rank() over (partition by period_type order by revenue_real)
        + count(*) over (partition by period_type, revenue_real) - 1 as twice_rank,
        count(*) over (partition by period_type, revenue_real) as tied
    from released
    where revenue_real is not null
),

periods as (
    select
        period_type,
        period,
        count(*) as movies,
        sum(twice_rank)::double as twice_rank_sum,
        sum(tied * tied - 1)::double as ties
    from ranked
    group by period_type, period
),

sums as (
    select
        types.period_type,
        greatest(count(periods.period) - 1, 0) as df,
        coalesce(sum(periods.movies), 0) as n,
        sum(periods.twice_rank_sum ^ 2 / (4 * periods.movies)) as squares,
        n::double ^ 3 - n as all_pairs,
        nullif(all_pairs - sum(periods.ties), 0) as spread
    from (values ('month'), ('quarter')) as types (period_type)
    left join periods on types.period_type = periods.period_type
    group by types.period_type
),

tests as (
    select
        period_type,
        df,
        n,
        case when df > 0 then (12 / (n * (n + 1)) * squares - 3 * (n + 1)) * all_pairs / spread end as h
    from sums
)

select
    period_type,
    h,
    df,
    n,
    h / (n - 1) as epsilon_squared
from tests;
