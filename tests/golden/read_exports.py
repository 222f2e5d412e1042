"""Reads a surface's .h5, .vtk and .csv with h5py, VTK and numpy, and compares each
with the .npz of the same surface: every number has to be the same to the last bit.

    python3 read_exports.py NAME ...

reads NAME.npz, NAME.h5, NAME.vtk, NAME.csv and, if there is one, NAME.path.csv.
Run with h5py 3.16.0, numpy 2.4.6 and vtk 9.
"""

import os
import sys

import h5py
import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy


def read_hdf5(name, npz):
    with h5py.File(name + ".h5") as file:
        for key, array in [("xcoordinates", "x"), ("ycoordinates", "y"), ("train_loss", "loss")]:
            assert file[key].dtype == np.float64, key
            expected = npz[array]
            expected = np.where(np.isnan(expected), -1.0, expected)
            np.testing.assert_array_equal(file[key][:], expected, key)
        assert file["dir_file"][()] == b""
        # What loss-landscape's plots do with them.
        x, y = np.meshgrid(file["xcoordinates"][:], file["ycoordinates"][:])
        assert x.shape == y.shape == file["train_loss"].shape
        if "path_x" in npz:
            np.testing.assert_array_equal(file["proj_xcoord"][:], npz["path_x"])
            np.testing.assert_array_equal(file["proj_ycoord"][:], npz["path_y"])


def read_vtk(name, npz):
    reader = vtk.vtkPolyDataReader()
    reader.SetFileName(name + ".vtk")
    reader.ReadAllScalarsOn()
    reader.Update()
    data = reader.GetOutput()
    loss = npz["loss"]
    rows, columns = loss.shape
    # These surfaces are finite throughout.
    assert np.isfinite(loss).all()
    points = vtk_to_numpy(data.GetPoints().GetData())
    x, y = np.meshgrid(npz["x"], npz["y"])
    surface = np.stack([x, y, loss], axis=-1).reshape(-1, 3)
    np.testing.assert_array_equal(points[: loss.size], surface)
    assert data.GetNumberOfPolys() == (rows - 1) * (columns - 1)
    array = lambda key: vtk_to_numpy(data.GetPointData().GetArray(key))
    np.testing.assert_array_equal(array("loss"), points[:, 2])
    np.testing.assert_allclose(array("log10_loss"), np.log10(points[:, 2]), rtol=1e-14, atol=1e-15)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(data)
    normals.ConsistencyOff()
    normals.SplittingOff()
    normals.Update()
    up = vtk_to_numpy(normals.GetOutput().GetPointData().GetNormals())[: loss.size, 2]
    assert (up > 0).all(), "faces look up"
    k = len(npz["path_x"]) if "path_x" in npz else 0
    assert (array("part") == np.repeat([0, 1], [loss.size, k])).all()
    assert data.GetNumberOfLines() == (1 if k else 0)
    if k:
        path = np.stack([npz["path_x"], npz["path_y"], npz["path_true_loss"]], axis=-1)
        np.testing.assert_array_equal(points[loss.size :], path)
        np.testing.assert_array_equal(array("step")[loss.size :], npz["path_step"])
        gap = npz["path_true_loss"] - npz["path_slice_loss"]
        np.testing.assert_array_equal(array("gap")[loss.size :], gap)


def read_csv(name, npz):
    table = np.loadtxt(name + ".csv", delimiter=",", skiprows=1)
    x, y = np.meshgrid(npz["x"], npz["y"])
    expected = np.stack([x.ravel(), y.ravel(), npz["loss"].ravel()], axis=-1)
    np.testing.assert_array_equal(table, expected)
    if os.path.exists(name + ".path.csv"):
        table = np.loadtxt(name + ".path.csv", delimiter=",", skiprows=1)
        names = ["step", "x", "y", "true_loss", "slice_loss"]
        expected = np.stack([npz["path_" + key] for key in names], axis=-1)
        np.testing.assert_array_equal(table[:, :5], expected)


for name in sys.argv[1:]:
    npz = np.load(name + ".npz")
    read_hdf5(name, npz)
    read_vtk(name, npz)
    read_csv(name, npz)
    print(f"{name}: .h5, .vtk and .csv hold what .npz holds, {npz['loss'].shape}")
