//! Archives as tools write them, and as nobody should.
use super::*;
use domain::Code;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use zip::{ZipWriter, write::SimpleFileOptions};

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn tarred(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[track_caller]
fn check(result: Result<Vec<u8>>, expect: Result<&str, &str>) {
    match (result, expect) {
        (Ok(content), Ok(expect)) => assert_eq!(String::from_utf8_lossy(&content), expect),
        (Err(error), Err(words)) => {
            assert_eq!((error.code(), error.message().contains(words)), (Code::InvalidArgument, true), "{error}");
        }
        (result, expect) => panic!("{expect:?} is right, and this came: {:?}", result.map(|content| content.len())),
    }
}

#[test]
fn the_entry_that_counts() {
    let many: Vec<(String, &[u8])> = (0..=MAX_ENTRIES).map(|n| (format!("{n}.yaml"), b"x".as_slice())).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    for (entries, expect) in [
        (&[("p.yaml", b"one".as_slice())][..], Ok("one")),
        (&[("p.YML", b"one")], Ok("one")),
        (&[("a.yaml", b"one"), ("pipeline.yaml", b"two")], Ok("two")),
        (&[("a.txt", b"one"), ("pipeline.yaml", b"two")], Ok("two")),
        (&[("a.yaml", b"one"), ("sub/pipeline.yaml", b"two")], Ok("one")),
        (&[("a.txt", b"one"), ("b.yaml", b"two")], Err("its first entry \"a.txt\" is not")),
        (&many[..MAX_ENTRIES], Ok("x")),
        (&many, Err("more than 1000 entries")),
    ] {
        check(zip(zipped(entries)), expect);
        check(tar_gz(&gzipped(&tarred(entries))), expect);
    }
    check(zip(zipped(&[])), Err("empty"));
    check(tar_gz(&gzipped(&tarred(&[]))), Err("no file"));
}

#[test]
fn folders_before_it_do_not_count() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in [
        ("./", EntryType::Directory, b"".as_slice()),
        ("./link.yaml", EntryType::Symlink, b""),
        ("./pipeline.yaml", EntryType::Regular, b"it"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    check(tar_gz(&gzipped(&builder.into_inner().unwrap())), Ok("it"));
}

#[test]
fn what_is_broken_is_said() {
    for content in [&b"PK"[..], b"PK\x03\x04\0\0\0\0", &[b'P'; 100]] {
        check(zip(content.to_vec()), Err("the zip archive cannot be read"));
    }
    for content in [&b"\x1f\x8b"[..], b"\x1f\x8b\0\0\0\0", &gzipped(b"no archive but a text")] {
        check(tar_gz(content), Err("tar.gz"));
    }
    let whole = zipped(&[("p.yaml", &[b'x'; 5000])]);
    check(zip(whole[..whole.len() / 2].to_vec()), Err("the zip archive cannot be read"));
    let whole = gzipped(&tarred(&[("p.yaml", &(0..9000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>())]));
    check(tar_gz(&whole[..whole.len() / 2]), Err("the tar.gz archive cannot be read"));
    // A size that is a lie: the directory says five bytes, and more come.
    let mut lie = zipped(&[("p.yaml", &[b'x'; 5000])]);
    let at = lie.windows(4).position(|bytes| bytes == DIRECTORY_ENTRY).unwrap();
    lie[at + 24..at + 28].copy_from_slice(&5u32.to_le_bytes());
    assert!(zip(lie).map_or(0, |content| content.len()) <= 5000);
}

#[test]
fn bombs_are_not_unpacked() {
    let zeros = vec![0; MAX_PACKAGE + 1];
    let bomb = zipped(&[("pipeline.yaml", &zeros)]);
    assert!(bomb.len() < 1 << 20);
    check(zip(bomb), Err("unpacks to more than is allowed"));
    check(tar_gz(&gzipped(&tarred(&[("pipeline.yaml", &zeros)]))), Err("unpacks to more than is allowed"));
    let before: Vec<(&str, &[u8])> =
        vec![("a.bin", &zeros), ("b.bin", &zeros), ("c.bin", &zeros), ("pipeline.yaml", b"x")];
    check(tar_gz(&gzipped(&tarred(&before))), Err("unpacks to more than is allowed"));
    let exact = vec![b' '; MAX_PACKAGE];
    assert_eq!(zip(zipped(&[("pipeline.yaml", &exact)])).unwrap().len(), MAX_PACKAGE);
}
