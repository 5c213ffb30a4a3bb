use std::collections::HashMap;

use super::*;

fn segments(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn chains_come_back_whole_and_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let mut heads: HashMap<usize, u64> = HashMap::new();
    let record =
        |chain: usize, round: usize| format!("{chain} {round} ").repeat(1 + round * chain % 90);
    for round in 0..5 {
        for chain in 0..5_000 {
            let text = record(chain, round);
            let last = chains
                .append(heads.get(&chain).copied(), text.as_bytes())
                .unwrap();
            heads.insert(chain, last);
        }
    }
    assert!(chains.disk_bytes() > 0);
    for chain in 0..5_000 {
        let taken = chains.take(heads[&chain]).unwrap();
        let expected: Vec<_> = (0..5)
            .map(|round| record(chain, round).into_bytes())
            .collect();
        assert_eq!(taken, expected, "{chain}");
    }
    drop(chains);
    assert_eq!(segments(folder.path()), 0);
}

#[test]
fn a_segment_goes_when_its_last_record_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let large = vec![7; MAX_RECORD_BYTES];
    let heads: Vec<u64> = (0..2_200)
        .map(|_| chains.append(None, &large).unwrap())
        .collect();
    assert_eq!(segments(folder.path()), 3);
    assert!(chains.append(None, &vec![7; MAX_RECORD_BYTES + 1]).is_err());
    for head in heads.iter().take(1_100) {
        chains.take(*head).unwrap();
    }
    assert_eq!(segments(folder.path()), 2, "the first one is gone");
    assert!(chains.take(heads[0]).is_err(), "taken before");
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(folder.path()).unwrap();
    let heads: Vec<u64> = (0..10_000)
        .map(|number: u32| {
            chains
                .append(None, &number.to_le_bytes().repeat(20))
                .unwrap()
        })
        .collect();
    let path = folder.path().join(name(1));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[HEADER_BYTES + 3] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = chains.take(heads[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(chains.take(heads[1]).is_ok());
}

#[test]
fn a_snapshot_holds_what_was_there_whatever_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut chains = ChainFile::new(dir.path()).unwrap();
    let record = |chain: u64, number: u64| format!("{chain}: {number}").into_bytes();
    let mut lasts = vec![None; 50];
    let mut saved = Vec::new();
    let mut kept = Vec::new();
    for round in 0..3 {
        for (chain, last) in lasts.iter_mut().enumerate() {
            *last = Some(chains.append(*last, &record(chain as u64, round)).unwrap());
        }
        saved.clear();
        crate::sync_files(&chains.save(&mut saved).unwrap()).unwrap();
        chains.release();
        kept.clone_from(&lasts);
        // What is taken, or appended, after the snapshot does not change it.
        let first = lasts[round as usize].take().unwrap();
        assert_eq!(chains.take(first).unwrap().len(), round as usize + 1);
    }
    chains.append(None, b"behind it").unwrap();
    drop(chains);
    let mut restored = ChainFile::restore(dir.path(), &mut saved.as_slice()).unwrap();
    for (chain, last) in kept.into_iter().enumerate() {
        let first = if chain < 2 { chain as u64 + 1 } else { 0 };
        let records: Vec<_> = (first..3)
            .map(|number| record(chain as u64, number))
            .collect();
        assert_eq!(restored.take(last.unwrap()).unwrap(), records);
    }
    let last = restored.append(None, b"more").unwrap();
    assert_eq!(restored.take(last).unwrap(), [b"more"]);
    drop(restored);
    assert!(ChainFile::restore(dir.path(), &mut &saved[..9]).is_err());
    std::fs::remove_file(dir.path().join(name(1))).unwrap();
    let error = ChainFile::restore(dir.path(), &mut saved.as_slice()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
