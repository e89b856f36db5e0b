-- The answers of every kept run. dbt deletes and inserts the rows of its own run, the loader
-- those of run_summary and run_counts; neither does DDL here. The keys start with run_id, so
-- they are also the index by which readers find a run.

create schema mart_versions;

create table mart_versions.highest_rated (
    run_id text not null,
    source text not null check (source in ('tmdb', 'movielens')),
    rank int not null,
    tmdb_id int not null,
    title text,
    year int,
    votes bigint not null,
    mean double precision not null,
    weighted double precision not null,
    primary key (run_id, source, rank)
);

create table mart_versions.highest_rated_parameters (
    run_id text not null,
    source text not null check (source in ('tmdb', 'movielens')),
    c double precision,
    m double precision,
    qualified bigint not null,
    primary key (run_id, source)
);

create table mart_versions.popular_genres (
    run_id text not null,
    rank int not null,
    genre text not null,
    ratings bigint not null,
    users bigint not null,
    mean_rating double precision,
    movies bigint not null,
    tmdb_votes bigint not null,
    primary key (run_id, rank)
);

create table mart_versions.release_timing (
    run_id text not null,
    period_type text not null check (period_type in ('month', 'quarter', 'year')),
    period int not null,
    movies bigint not null,
    mean_revenue double precision not null,
    median_revenue double precision not null,
    adjustable bigint not null,
    mean_revenue_real double precision,
    median_revenue_real double precision,
    primary key (run_id, period_type, period)
);

create table mart_versions.release_timing_test (
    run_id text not null,
    period_type text not null check (period_type in ('month', 'quarter')),
    h double precision,
    df int not null,
    n bigint not null,
    p double precision,
    log10_p double precision,
    epsilon_squared double precision,
    primary key (run_id, period_type)
);

create table mart_versions.genre_revenue (
    run_id text not null,
    rank int not null,
    genre text not null,
    movies bigint not null,
    revenue bigint not null,
    median_revenue double precision not null,
    not_adjustable bigint not null,
    revenue_real decimal(30, 8),
    median_revenue_real double precision,
    primary key (run_id, rank)
);

-- inputs: the run's inputs.json.
create table mart_versions.run_summary (
    run_id text primary key,
    edition text not null,
    base_month date,
    inputs text not null check (inputs is json object)
);

-- dropped: rows that silver left out, by reason.
create table mart_versions.run_counts (
    run_id text not null,
    dataset text not null,
    source_rows bigint not null,
    dead_letters bigint not null,
    bronze bigint not null,
    silver bigint not null,
    dropped text not null check (dropped is json object),
    primary key (run_id, dataset)
);
