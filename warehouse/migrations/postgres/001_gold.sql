-- Versions of the star schema: one partition of every table per run, made, filled and attached
-- by the loader. There are no keys or indexes: a unique index would cost more than the COPY
-- itself on 26 million ratings, and every reader scans one partition. dbt tests the keys.

create schema gold;

create table gold.dim_movie (
    run_id text not null,
    tmdb_id int not null,
    imdb_id text,
    title text,
    original_title text,
    original_language text,
    status text,
    release_date date,
    release_year int,
    runtime_minutes double precision,
    popularity double precision,
    budget bigint,
    vote_average decimal(6, 3),
    vote_count bigint
) partition by list (run_id);

create table gold.dim_genre (
    run_id text not null,
    genre_id int not null,
    name text
) partition by list (run_id);

create table gold.bridge_movie_genre (
    run_id text not null,
    tmdb_id int not null,
    genre_id int not null
) partition by list (run_id);

create table gold.dim_date (
    run_id text not null,
    date_day date not null,
    year int,
    quarter int,
    month int,
    month_name text,
    day int
) partition by list (run_id);

create table gold.cpi_month (
    run_id text not null,
    month date not null,
    value decimal(12, 3),
    base_month date,
    base_value decimal(12, 3)
) partition by list (run_id);

-- rated_at is UTC.
create table gold.fact_rating (
    run_id text not null,
    user_id int not null,
    movie_id int not null,
    tmdb_id int,
    rating decimal(2, 1),
    rated_at timestamp
) partition by list (run_id);

create table gold.fact_box_office (
    run_id text not null,
    tmdb_id int not null,
    release_date date,
    release_year int,
    release_quarter int,
    release_month int,
    budget bigint,
    revenue bigint,
    cpi_value decimal(12, 3),
    revenue_real decimal(24, 8),
    is_adjustable boolean,
    is_scale_suspect boolean
) partition by list (run_id);

create table gold.agg_movie_rating (
    run_id text not null,
    tmdb_id int not null,
    ratings bigint,
    rating_sum decimal(18, 1),
    mean_rating double precision
) partition by list (run_id);

create table gold.agg_genre_rating (
    run_id text not null,
    genre_id int not null,
    ratings bigint,
    users bigint,
    rating_sum decimal(18, 1),
    mean_rating double precision,
    movies bigint,
    tmdb_votes bigint
) partition by list (run_id);

create table gold.agg_genre_box_office (
    run_id text not null,
    genre_id int not null,
    movies bigint,
    revenue bigint,
    median_revenue double precision,
    adjustable bigint,
    not_adjustable bigint,
    revenue_real decimal(30, 8),
    median_revenue_real double precision
) partition by list (run_id);

create table gold.agg_release_period (
    run_id text not null,
    period_type text not null,
    period int not null,
    movies bigint,
    revenue bigint,
    mean_revenue double precision,
    median_revenue double precision,
    adjustable bigint,
    revenue_real decimal(30, 8),
    mean_revenue_real double precision,
    median_revenue_real double precision
) partition by list (run_id);

create table gold.release_timing_test (
    run_id text not null,
    period_type text not null,
    h double precision,
    df int,
    n bigint,
    p double precision,
    log10_p double precision,
    epsilon_squared double precision
) partition by list (run_id);
