use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// Where the database is: a SQLite file, or a MySQL or MariaDB server.
///
/// Neither `Debug` nor `Display` shows the password.
#[derive(Clone)]
pub enum DatabaseAddress {
    /// A file of this process's machine.
    Sqlite(Box<SqliteConnectOptions>),
    /// A server.
    MySql(Box<MySqlConnectOptions>),
}

impl DatabaseAddress {
    /// The file that holds the data, when the database is SQLite.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(options) => Some(options.get_filename().to_owned()),
            Self::MySql(_) => None,
        }
    }
}

impl FromStr for DatabaseAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(text).map_err(InvalidAddress::unreadable)?;
                if text.contains(":memory:") || text.contains("mode=memory") {
                    // Every connection would open a database of its own.
                    return Err(InvalidAddress(
                        "a SQLite database in memory cannot be shared; name a file".into(),
                    ));
                }
                if options.get_filename().as_os_str().is_empty() {
                    return Err(InvalidAddress("the file is missing, as in sqlite:ecommerce.db".into()));
                }
                Ok(Self::Sqlite(Box::new(options)))
            }
            "mysql" | "mariadb" => {
                let options = MySqlConnectOptions::from_str(text).map_err(InvalidAddress::unreadable)?;
                if options.get_database().is_none_or(str::is_empty) {
                    return Err(InvalidAddress(
                        "the database is missing, as in mysql://HOST/DATABASE".into(),
                    ));
                }
                Ok(Self::MySql(Box::new(options)))
            }
            _ => Err(InvalidAddress("write sqlite:FILE or mysql://USER:PASSWORD@HOST:PORT/DATABASE".into())),
        }
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(options) => write!(f, "SQLite file {}", options.get_filename().display()),
            Self::MySql(options) => {
                let database = options.get_database().unwrap_or_default();
                write!(f, "MySQL database {database} at {}:{}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where Redis is. Neither `Debug` nor `Display` shows more than that there is one.
#[derive(Clone)]
pub struct RedisAddress(String);

impl RedisAddress {
    /// The address as given, password included.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedisAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.is_empty() {
            return Err(InvalidAddress("it is empty; leave it out to have locks in memory".into()));
        }
        if ["redis://", "rediss://", "valkey://", "valkeys://"].iter().any(|scheme| text.starts_with(scheme))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAddress("write redis://USER:PASSWORD@HOST:PORT".into()))
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisAddress(..)")
    }
}

/// What is wrong with an address. The address itself is not repeated: it may hold a password.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

impl InvalidAddress {
    #[allow(clippy::needless_pass_by_value)] // for `map_err`
    fn unreadable(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(reason) => Self(format!("the address cannot be read: {reason}")),
            other => Self(format!("the address cannot be read: {other}")),
        }
    }
}
