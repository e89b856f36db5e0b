"""The bronze columns of docs/architecture.md."""

MOVIES = (
    "row_number int, adult string, belongs_to_collection string, budget double, genres string, "
    "homepage string, id int, imdb_id string, original_language string, original_title string, "
    "overview string, popularity double, poster_path string, production_companies string, "
    "production_countries string, release_date date, revenue double, runtime double, "
    "spoken_languages string, status string, tagline string, title string, video string, "
    "vote_average double, vote_count double"
)
LINKS = "row_number int, movie_id int, imdb_id string, tmdb_id int"
RATINGS = "row_number int, user_id int, movie_id int, rating double, timestamp bigint"
CPI = "row_number int, observation_date date, value double"
LIVE = (
    "kafka_partition int, kafka_offset bigint, user_id int, movie_id int, rating double, "
    "timestamp bigint"
)
