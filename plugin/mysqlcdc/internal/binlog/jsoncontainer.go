package binlog

// width returns the size of the numbers in a container.
func (v jsonValue) width() int {
	if v.kind == jsonLargeObject || v.kind == jsonLargeArray {
		return 4
	}
	return 2
}

// count returns the number of elements, -1 if the container is damaged.
func (v jsonValue) count() int {
	w := v.width()
	if len(v.data) < 2*w {
		return -1
	}
	n := little(v.data[:w])
	entry := uint64(1 + w)
	if v.object() {
		entry += uint64(w + 2)
	}
	if n*entry > uint64(len(v.data)) {
		return -1
	}
	return int(n)
}

// key returns the name of an element of an object of n elements.
func (v jsonValue) key(i int) ([]byte, bool) {
	w := v.width()
	at := 2*w + i*(w+2)
	if at+w+2 > len(v.data) {
		return nil, false
	}
	from, size := little(v.data[at:at+w]), little(v.data[at+w:at+w+2])
	if from+size > uint64(len(v.data)) {
		return nil, false
	}
	return v.data[from : from+size], true
}

// element returns an element of a container of n elements. Small values are in its entry, others are pointed at.
func (v jsonValue) element(i, n int) (jsonValue, bool) {
	w := v.width()
	at := 2*w + i*(1+w)
	if v.object() {
		at += n * (w + 2)
	}
	if at+1+w > len(v.data) {
		return jsonValue{}, false
	}
	e := jsonValue{kind: v.data[at], data: v.data[at+1 : at+1+w]}
	switch e.kind {
	case jsonLiteral, jsonInt16, jsonUint16:
		return e, true
	case jsonInt32, jsonUint32:
		if w == 4 {
			return e, true
		}
	}
	from := little(e.data)
	if from > uint64(len(v.data)) {
		return jsonValue{}, false
	}
	e.data = v.data[from:]
	return e, true
}

func (v jsonValue) appendContainer(dst []byte, most bounds) ([]byte, error) {
	n := v.count()
	if n < 0 {
		return dst, errJSON
	}
	most.depth++
	open, end := byte('['), byte(']')
	if v.object() {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for i := range n {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if v.object() {
			key, ok := v.key(i)
			if !ok {
				return dst, errJSON
			}
			dst = append(appendJSONString(dst, key), ": "...)
		}
		e, ok := v.element(i, n)
		if !ok {
			return dst, errJSON
		}
		var err error
		if dst, err = e.append(dst, most); err != nil {
			return dst, err
		}
	}
	return append(dst, end), nil
}
