-- Single ratings, seen within a second of being posted, until a run has absorbed them. The loader
-- upserts them; nothing is deleted when a run is published: its watermark says, by partition of
-- the topic, from which offset on a live rating is not in its facts.

create schema live;

-- The newest rating of a user and a MovieLens movie; of two of one second the one with the higher
-- offset. A user's ratings are all on one partition. rated_at is UTC.
create table live.ratings (
    user_id int not null,
    movie_id int not null,
    rating decimal(2, 1) not null,
    rated_at timestamp not null,
    kafka_partition int not null,
    kafka_offset bigint not null,
    primary key (user_id, movie_id)
);

create index ratings_of_movie on live.ratings (movie_id);

-- The first offset of each partition that a run did not read. A run without rows read none.
create table mart_versions.live_watermark (
    run_id text not null,
    kafka_partition int not null,
    kafka_offset bigint not null,
    primary key (run_id, kafka_partition)
);

-- The run that is current names its watermark, so that rolling back stays one update of one column.
alter table marts.current drop column live_watermark;

-- MovieLens movies that are one of TMDB's.
create table gold.bridge_movielens_movie (
    run_id text not null,
    movie_id int not null,
    tmdb_id int not null
) partition by list (run_id);

-- By which a movie finds its live ratings, and a live rating the fact whose place it takes.
create index bridge_movielens_movie_of_movie on gold.bridge_movielens_movie (tmdb_id);
create index fact_rating_of_user on gold.fact_rating (user_id, movie_id);

create view marts.bridge_movielens_movie as
select
    movie_id,
    tmdb_id
from gold.bridge_movielens_movie
where run_id = (select current.run_id from marts.current);

-- The live ratings that the published run has not read and that reach a movie. As in silver the
-- newest rating of a user and a movie wins, and a live one over a fact of the same second.
-- replaced_rating: the fact's whose place it takes, or null.
create view marts.rating_live as
select
    ratings.user_id,
    ratings.movie_id,
    movielens.tmdb_id,
    ratings.rating,
    ratings.rated_at,
    facts.rating as replaced_rating
from live.ratings
inner join marts.bridge_movielens_movie as movielens on ratings.movie_id = movielens.movie_id
left join marts.fact_rating as facts
    on ratings.user_id = facts.user_id and ratings.movie_id = facts.movie_id
left join mart_versions.live_watermark as watermark
    on
        ratings.kafka_partition = watermark.kafka_partition
        and watermark.run_id = (select current.run_id from marts.current)
where
    ratings.kafka_offset >= coalesce(watermark.kafka_offset, 0)
    and (facts.rated_at is null or ratings.rated_at >= facts.rated_at);

-- Count and mean of every rated movie as of now; live_ratings: how many of the count are live.
-- A union and not a join, so that a question about some movies looks at no other.
create view marts.movie_rating_live as
with parts as (
    select
        tmdb_id,
        ratings,
        rating_sum,
        0 as live_ratings
    from marts.agg_movie_rating
    union all
    select
        tmdb_id,
        case when replaced_rating is null then 1 else 0 end as ratings,
        rating - coalesce(replaced_rating, 0) as rating_sum,
        1 as live_ratings
    from marts.rating_live
)

select
    tmdb_id,
    cast(sum(ratings) as bigint) as ratings,
    cast(sum(rating_sum) as decimal(18, 1)) as rating_sum,
    cast(sum(rating_sum) as double precision) / cast(sum(ratings) as double precision) as mean_rating,
    cast(sum(live_ratings) as bigint) as live_ratings
from parts
group by tmdb_id;
