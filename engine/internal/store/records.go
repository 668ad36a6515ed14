package store

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// records reads the records of many jobs. Jobs end in about the order of their ids, in which the records lie, so the
// next one wanted is mostly the next one there: a step costs a tenth of a look-up.
type records struct {
	txn *badger.Txn
	it  *badger.Iterator
	// placed says that the iterator stands somewhere.
	placed bool
}

// newRecords needs a close.
func newRecords(txn *badger.Txn) *records {
	o := badger.DefaultIteratorOptions
	o.PrefetchValues = false // they lie beside the keys
	o.Prefix = []byte{recordFamily}
	return &records{txn: txn, it: txn.NewIterator(o)}
}

func (r *records) close() { r.it.Close() }

// job is like readJob.
func (r *records) job(id int64) (Job, bool, error) {
	key := jobKey(recordFamily, id)
	if !r.next(key) {
		r.it.Seek(key)
		r.placed = r.it.Valid()
	}
	if !r.placed || !bytes.Equal(r.it.Item().Key(), key) {
		return Job{ID: id}, false, nil
	}
	b, err := r.it.Item().ValueCopy(nil)
	if err != nil {
		return Job{ID: id}, true, err
	}
	h, found, err := headerOf(b, id)
	return loadRecord(r.txn, h, found, err)
}

// next takes one step and reports whether it led to key.
func (r *records) next(key []byte) bool {
	if !r.placed {
		return false
	}
	r.it.Next()
	r.placed = r.it.Valid()
	return r.placed && bytes.Equal(r.it.Item().Key(), key)
}
