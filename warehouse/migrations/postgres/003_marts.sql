-- What readers see: the run that marts.current names. Publishing and rolling back are one
-- update of its row, so a statement sees one version whole, and no reader ever waits.

create schema marts;

-- run_id is null until the first run is published. The reference keeps a published run from
-- being swept; it is deferred so that a run's summary may be replaced within a transaction.
create table marts.current (
    is_only_row boolean primary key default true check (is_only_row),
    run_id text references mart_versions.run_summary (run_id) deferrable initially deferred,
    live_watermark text check (live_watermark is json),
    published_at timestamptz
);

insert into marts.current (is_only_row) values (true);

create view marts.dim_movie as
select
    tmdb_id,
    imdb_id,
    title,
    original_title,
    original_language,
    status,
    release_date,
    release_year,
    runtime_minutes,
    popularity,
    budget,
    vote_average,
    vote_count
from gold.dim_movie
where run_id = (select current.run_id from marts.current);

create view marts.dim_genre as
select
    genre_id,
    name
from gold.dim_genre
where run_id = (select current.run_id from marts.current);

create view marts.bridge_movie_genre as
select
    tmdb_id,
    genre_id
from gold.bridge_movie_genre
where run_id = (select current.run_id from marts.current);

create view marts.dim_date as
select
    date_day,
    year,
    quarter,
    month,
    month_name,
    day
from gold.dim_date
where run_id = (select current.run_id from marts.current);

create view marts.cpi_month as
select
    month,
    value,
    base_month,
    base_value
from gold.cpi_month
where run_id = (select current.run_id from marts.current);

create view marts.fact_rating as
select
    user_id,
    movie_id,
    tmdb_id,
    rating,
    rated_at
from gold.fact_rating
where run_id = (select current.run_id from marts.current);

create view marts.fact_box_office as
select
    tmdb_id,
    release_date,
    release_year,
    release_quarter,
    release_month,
    budget,
    revenue,
    cpi_value,
    revenue_real,
    is_adjustable,
    is_scale_suspect
from gold.fact_box_office
where run_id = (select current.run_id from marts.current);

create view marts.agg_movie_rating as
select
    tmdb_id,
    ratings,
    rating_sum,
    mean_rating
from gold.agg_movie_rating
where run_id = (select current.run_id from marts.current);

create view marts.agg_genre_rating as
select
    genre_id,
    ratings,
    users,
    rating_sum,
    mean_rating,
    movies,
    tmdb_votes
from gold.agg_genre_rating
where run_id = (select current.run_id from marts.current);

create view marts.agg_genre_box_office as
select
    genre_id,
    movies,
    revenue,
    median_revenue,
    adjustable,
    not_adjustable,
    revenue_real,
    median_revenue_real
from gold.agg_genre_box_office
where run_id = (select current.run_id from marts.current);

create view marts.agg_release_period as
select
    period_type,
    period,
    movies,
    revenue,
    mean_revenue,
    median_revenue,
    adjustable,
    revenue_real,
    mean_revenue_real,
    median_revenue_real
from gold.agg_release_period
where run_id = (select current.run_id from marts.current);

create view marts.highest_rated as
select
    source,
    rank,
    tmdb_id,
    title,
    year,
    votes,
    mean,
    weighted
from mart_versions.highest_rated
where run_id = (select current.run_id from marts.current);

create view marts.highest_rated_parameters as
select
    source,
    c,
    m,
    qualified
from mart_versions.highest_rated_parameters
where run_id = (select current.run_id from marts.current);

create view marts.popular_genres as
select
    rank,
    genre,
    ratings,
    users,
    mean_rating,
    movies,
    tmdb_votes
from mart_versions.popular_genres
where run_id = (select current.run_id from marts.current);

create view marts.release_timing as
select
    period_type,
    period,
    movies,
    mean_revenue,
    median_revenue,
    adjustable,
    mean_revenue_real,
    median_revenue_real
from mart_versions.release_timing
where run_id = (select current.run_id from marts.current);

create view marts.release_timing_test as
select
    period_type,
    h,
    df,
    n,
    p,
    log10_p,
    epsilon_squared
from mart_versions.release_timing_test
where run_id = (select current.run_id from marts.current);

create view marts.genre_revenue as
select
    rank,
    genre,
    movies,
    revenue,
    median_revenue,
    not_adjustable,
    revenue_real,
    median_revenue_real
from mart_versions.genre_revenue
where run_id = (select current.run_id from marts.current);

create view marts.run_summary as
select
    run_id,
    edition,
    base_month,
    inputs
from mart_versions.run_summary
where run_id = (select current.run_id from marts.current);

create view marts.run_counts as
select
    dataset,
    source_rows,
    dead_letters,
    bronze,
    silver,
    dropped
from mart_versions.run_counts
where run_id = (select current.run_id from marts.current);
